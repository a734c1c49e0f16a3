using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A call that waits inside sleeps in Linux and can be killed there (I14); a service that works on after its answer gets time from Linux.</summary>
internal static class WaitTests
{
    /// <summary>First argument of a process that waits for what nobody does.</summary>
    public const string Command = "wait-for-nobody";

    private const ulong Rounds = 20_000_000;
    private const int Looks = 600;
    private const int LookMilliseconds = 50;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    /// <summary>Waits inside the probe, for a notification that nobody signals.</summary>
    public static int WaitForNobody()
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        Console.Out.WriteLine("waits");
        TeeResult result = session.TryInvoke((uint)ProbeOperation.Listen, []);
        Console.Out.WriteLine($"waited: {result}");
        return 0;
    }

    public static int Wait()
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using TeeSession session = device.OpenSession(Probe);
        SystemCounters before = KillTest.Snapshot.Take(statistics).Counters;
        using Process waiter = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [Command]) { RedirectStandardOutput = true })!;
        _ = waiter.StandardOutput.ReadLine();
        char state = ' ';
        for (int i = 0; i < Looks && state != 'S'; i++)
        {
            Thread.Sleep(LookMilliseconds);
            state = StateOf(waiter.Id);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wait: the caller is in state {state}"));
        waiter.Kill();
        waiter.WaitForExit();
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wait: killed, ended with {waiter.ExitCode}"));

        // Both threads of the probe serve again, and nothing of the call is left.
        for (int i = 0; i < 2; i++)
        {
            session.Invoke((uint)ProbeOperation.Worked, nameof(ProbeOperation.Worked), [TeeParameter.Output()]);
        }

        bool returned = CounterCheck.Returned(statistics, before, "wait", SkCounter.DowncallsInUse, SkCounter.SharedMappings);
        Console.Out.WriteLine(returned ? "wait: counters returned" : "wait: counters did NOT return");
        return state == 'S' && returned ? 0 : 1;
    }

    /// <summary>One call makes work that outlasts it. Nobody calls meanwhile.</summary>
    public static int Background()
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        ulong before = Worked(session);
        ulong interrupts = Interrupts();
        session.Invoke((uint)ProbeOperation.Work, nameof(ProbeOperation.Work), [TeeParameter.Input(Rounds)]);
        ulong after = before;
        int looks = 0;
        for (; looks < Looks && after == before; looks++)
        {
            Thread.Sleep(LookMilliseconds);
            after = Worked(session);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"background: {after - before} of 1 done without a call; Linux was asked for time: {(Interrupts() > interrupts ? "yes" : "no")}"));
        return after == before + 1 ? 0 : 1;
    }

    private static ulong Worked(TeeSession session)
    {
        Span<TeeParameter> parameters = [TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Worked, nameof(ProbeOperation.Worked), parameters);
        return parameters[0].A;
    }

    /// <summary>How often the interrupt of the TEE's node has come.</summary>
    private static ulong Interrupts()
    {
        string? line = File.ReadLines("/proc/interrupts").FirstOrDefault(line => line.Contains("optee_notification", StringComparison.Ordinal));
        return line is null ? 0 : line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).TakeWhile(word => ulong.TryParse(word, out _)).Aggregate(0ul, (sum, word) => sum + ulong.Parse(word, CultureInfo.InvariantCulture));
    }

    /// <summary>Of the main thread: R, S, D ... (proc(5)).</summary>
    private static char StateOf(int process)
    {
        string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
        return stat[stat.LastIndexOf(')') + 2];
    }
}
