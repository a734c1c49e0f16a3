using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;

namespace Exclaves.Cli.Bench;

/// <summary>What Linux feels of the monitor: the same work with it and without, in turn, on the machine as people run it.</summary>
/// <remarks>Without: QEMU boots Debian's kernel itself, at EL1, with the same CPU and the same initramfs. Wall time of the work, as the guest sees it.</remarks>
public static class Overhead
{
    private const string Script = "/usr/lib/exclave/work.sh";
    private const long DiskBytes = 64 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(600);

    /// <summary>Name of the work, ratio at most (the emulator's own floor for EL2 is 1.08 to 1.13 where processes change).</summary>
    private static readonly (string Work, double Aim)[] Works = [("compute", 1.05), ("io", 1.05), ("fork", 1.25), ("pipe", 1.25), ("disk", double.NaN)];

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
        foreach ((string work, double aim) in Works.Where(row => with[0].Seconds.ContainsKey(row.Work)))
        {
            double ratio = WorkTimes.Median(with.Select(times => times.Seconds[work])) / WorkTimes.Median(without.Select(times => times.Seconds[work]));
            figures.Add(new Figure("linux.overhead." + work, Math.Round(ratio, 3), "ratio", double.IsNaN(aim) ? null : aim, null));
        }

        figures.Add(new Figure("linux.traps_per_second", Math.Round(WorkTimes.Median(with.Select(times => times.TrapsPerSecond ?? double.NaN)), 3), "1/s", 0, null));
        return figures;
    }

    private static async Task<WorkTimes> Run(Session session, GuestPackages packages, bool hasMonitor, CancellationToken cancel)
    {
        await using FileStream disk = new(
            Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.DeleteOnClose);
        disk.SetLength(DiskBytes);
        MachineSpec spec = new() { HasMonitor = hasMonitor, Disk = disk.Name, HasDiskDriver = true };
        string[] command = hasMonitor ? ["exclave-guest", "traps", "--", "sh", Script] : ["sh", Script];
        using MemoryStream output = new();
        string complaint = "";
        GuestOutcome outcome = await session.Run(packages, spec, command, Limit, output, new LineStream(line => complaint = line), cancel);
        return outcome.RequireExitStatus() == 0
            ? WorkTimes.Parse(output.ToArray())
            : throw new ExclaveException($"The guest's work failed: {complaint}");
    }
}
