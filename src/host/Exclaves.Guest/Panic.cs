using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A component of the core faults: all learn it, the thread that did it is parked and can be killed, Linux lives on (I12).</summary>
internal static class Panic
{
    /// <summary>Command of the process whose call panics; the service's UUID follows.</summary>
    public const string Worker = "panic-worker";

    private const int KilledBySignal9 = 128 + 9;
    private const ulong Endless = ulong.MaxValue;

    /// <summary>The second that callers are held, and room for a machine under load.</summary>
    private const int LongestWaitMilliseconds = 5000;

    public static int Run(string service, int threads)
    {
        ServiceName name = new(Guid.Parse(service), "Fragile");
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        ConcurrentBag<string> wrong = [];
        using CountdownEvent begun = new(threads);
        using CountdownEvent ended = new(threads);

        // Some call the component that will fault, some one that has nothing to do with it and works for ever. That one opens no session
        // any more once it has begun.
        HelloClient[] clients = [.. Enumerable.Range(0, threads).Select(i => HelloClient.Open(device, i % 2 == 0 ? ServiceName.Hello : name))];
        foreach (HelloClient client in clients)
        {
            bool isFragile = client.Session.Service.Uuid == name.Uuid;
            Thread caller = new(() =>
            {
                begun.Signal();
                RequireEnd(wrong, () => client.Spin(isFragile ? 1000 : Endless), isFragile);
                ended.Signal();
            })
            { IsBackground = true };
            caller.Start();
        }

        begun.Wait();
        using Process panicking = Self.Start(captureOutput: false, Worker, service);

        // This one waits behind the others until the panic.
        RequireEnd(wrong, hello.Null, mayServe: true);
        Check(wrong, ended.Wait(LongestWaitMilliseconds), "a call that waited has no answer");
        RequireEnd(wrong, hello.Null, mayServe: false);
        RequireEnd(wrong, () => HelloClient.Open(device, name).Dispose(), mayServe: false);
        RequireEnd(wrong, () => SharedMemory.Register(device, 64).Dispose(), mayServe: false);
        string? report = PanicLog.Read();
        Check(wrong, report != null && report.StartsWith("panic in ", StringComparison.Ordinal), "the monitor's log has no report");

        Check(wrong, !panicking.HasExited, "the thread that panicked was not parked");
        panicking.Kill();
        Check(wrong, panicking.WaitForExit(LongestWaitMilliseconds) && panicking.ExitCode == KilledBySignal9, "the parked thread cannot be killed");

        foreach (string what in wrong)
        {
            Console.Out.WriteLine($"panic: wrong: {what}");
        }

        Console.Out.WriteLine($"panic: {threads} callers answered, the parked one killed; log: {report}");
        return wrong.IsEmpty ? 0 : 1;
    }

    /// <summary>The call after which there is no secure world. It comes back only as an error, when it is killed or could not be parked.</summary>
    public static int Work(string service)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient client = HelloClient.Open(device, new ServiceName(Guid.Parse(service), "Fragile"));
        Console.Error.WriteLine($"panic-worker: {client.Crash()}");
        return 1;
    }

    /// <param name="mayServe">The call may have been served before the panic.</param>
    private static void RequireEnd(ConcurrentBag<string> wrong, Action call, bool mayServe)
    {
        try
        {
            do
            {
                call();
            }
            while (mayServe);

            wrong.Add("a call was served after the end");
        }
        catch (TeeException error)
        {
            Check(wrong, error.Failure == TeeFailure.SecureWorldEnded && error.Message.Contains("panic in", StringComparison.Ordinal), error.Message);
        }
    }

    private static void Check(ConcurrentBag<string> wrong, bool right, string what)
    {
        if (!right)
        {
            wrong.Add(what);
        }
    }
}
