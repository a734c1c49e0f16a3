using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;

namespace Exclaves.Cli.Bench;

/// <summary>What Linux feels of the monitor: the same work with it and without, in turn, on the machine as people run it but for one CPU.</summary>
/// <remarks>
/// Without: QEMU boots Debian's kernel itself, at EL1, with the same CPU and the same initramfs. Wall time of the work, as the guest sees it;
/// the shortest of all runs counts, because what disturbs a run only makes it longer. With two CPUs the build machine's scheduler would be measured.
/// </remarks>
public static class Overhead
{
    private const string Script = "/usr/lib/exclave/work.sh";
    private const long DiskBytes = 64 << 20;
    private const int NetworkBytes = 4 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(600);

    /// <summary>Name of the work, ratio at most. What a monitor that does nothing costs on this emulator: docs/decisions/0009.</summary>
    private static readonly (string Work, double Aim)[] Works = [("compute", 1.05), ("io", 1.05), ("fork", 1.25), ("pipe", 1.25), ("disk", double.NaN), ("network", double.NaN)];

    public static async Task<IReadOnlyList<Figure>> Measure(Session session, GuestPackages packages, int pairs, CancellationToken cancel)
    {
        List<WorkTimes> with = [];
        List<WorkTimes> without = [];
        for (int i = 0; i < pairs; i++)
        {
            // The order alternates too, so that a machine that becomes slower favours neither.
            for (int turn = 0; turn < 2; turn++)
            {
                bool hasMonitor = (i + turn) % 2 == 0;
                string title = $"bench: work {(hasMonitor ? "with" : "without")} the monitor, {i + 1} of {pairs}";
                await session.Screen.Step(title, async () => (hasMonitor ? with : without).Add(await Run(session, packages, hasMonitor, cancel)));
            }
        }

        List<Figure> figures = [];
        foreach ((string work, double aim) in Works)
        {
            double ratio = WorkTimes.Shortest(with, work) / WorkTimes.Shortest(without, work);
            figures.Add(new Figure("linux.overhead." + work, Math.Round(ratio, 3), "ratio", double.IsNaN(aim) ? null : aim, null));
        }

        figures.Add(new Figure("linux.traps_per_second", with.Max(times => times.TrapsPerSecond ?? throw new ExclaveException("The guest counted no traps.")), "1/s", 0, null));
        return figures;
    }

    private static async Task<WorkTimes> Run(Session session, GuestPackages packages, bool hasMonitor, CancellationToken cancel)
    {
        await using FileStream disk = new(
            Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.DeleteOnClose);
        disk.SetLength(DiskBytes);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task peer = Exchange(listener);
        MachineSpec spec = new() { Cpus = 1, HasMonitor = hasMonitor, Disk = disk.Name, HasDiskDriver = true, NetworkCards = ["virtio-net-pci"] };
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string[] command = hasMonitor ? ["exclave-guest", "traps", "--", "sh", Script, port] : ["sh", Script, port];
        using MemoryStream output = new();
        string complaint = "";
        GuestOutcome outcome = await session.Run(packages, spec, command, Limit, output, new LineStream(line => complaint = line), cancel);
        listener.Stop();
        await peer;
        return outcome.RequireExitStatus() == 0
            ? WorkTimes.Parse(output.ToArray())
            : throw new ExclaveException($"The guest's work failed: {complaint}");
    }

    /// <summary>The other end of the guest's network: to everybody who connects as much as is said here, from everybody all there is.</summary>
    /// <returns>When the listener stops.</returns>
    private static async Task Exchange(TcpListener listener)
    {
        byte[] content = new byte[NetworkBytes];
        try
        {
            while (true)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                NetworkStream stream = client.GetStream();
                await Task.WhenAll(stream.WriteAsync(content).AsTask(), stream.CopyToAsync(Stream.Null));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The machine or the bench is over; a transfer that broke off is the guest's to report.
        }
    }
}
