using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Kit;
using Exclaves.Tightbeam.Sockets;

namespace Exclaves.Development;

/// <summary>A conclave as an ordinary process: a Unix socket stands where the secure world would be.</summary>
public static class DevelopmentHost
{
    /// <summary>Serves <paramref name="service"/> until ctrl-C (or SIGTERM); sessions that are open then end as if their clients had left.</summary>
    public static void Run(ConclaveService service, int threads)
    {
        string name = Assembly.GetEntryAssembly()?.GetName().Name ?? "conclave";
        try
        {
            Serve(service, threads, name, SocketPath.For(name));
        }
        catch (IOException error)
        {
            Console.Error.WriteLine($"{name}: {error.Message}");
            Environment.ExitCode = 1;
        }
    }

    private static void Serve(ConclaveService service, int threads, string name, string path)
    {
        SocketPath.Prepare(path);
        using ConclaveLoop loop = new(service, threads);
        SocketServer server = new(path, _ => loop.OpenSession(), new SocketServerOptions
        {
            Report = error => Console.Error.WriteLine($"{name}: a connection ended: {error.Message}"),
        });
        SocketPath.Restrict(path);

        Task? ending = null;
        void End(PosixSignalContext signal)
        {
            // The second one kills, in case a call never returns.
            if (Interlocked.CompareExchange(ref ending, Task.CompletedTask, null) is null)
            {
                signal.Cancel = true;
                ending = Task.Run(async () =>
                {
                    await server.DisposeAsync().ConfigureAwait(false);
                    loop.Complete();
                });
            }
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        Console.Error.WriteLine($"{name}: DEVELOPMENT HOST, an ordinary process. Keys in it are NOT protected: whoever owns this Linux can read them.");
        Console.Error.WriteLine($"{name}: process {Environment.ProcessId} listens at unix:{path}, for your user alone; ctrl-C ends it.");
        loop.Run();
        Console.Error.WriteLine($"{name}: ended.");
    }
}
