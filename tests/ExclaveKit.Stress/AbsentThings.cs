using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;

namespace Exclaves.ExclaveKit.Stress;

/// <summary>What a conclave does not have: to ask for it is an exception in no time, never a wait or an end.</summary>
internal static class AbsentThings
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

#pragma warning disable RS0030 // The warning is what the build says of this; here is what the machine says.
    private static readonly (string Name, Action Use)[] Attempts =
    [
        ("File.ReadAllText", () => File.ReadAllText("/etc/hostname")),
        ("File.WriteAllText", () => File.WriteAllText("/tmp/x", "x")),
        ("FileStream", () => new FileStream("/data", FileMode.OpenOrCreate).Dispose()),
        ("Directory.GetFiles", () => Directory.GetFiles("/")),
        ("Directory.CreateDirectory", () => Directory.CreateDirectory("/data")),
        ("Socket", () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).Dispose()),
        ("TcpClient", () => new TcpClient().Connect(IPAddress.Loopback, 80)),
        ("Dns.GetHostAddresses", () => Dns.GetHostAddresses("localhost")),
        ("Process.Start", () => Process.Start("/bin/true")),
    ];
#pragma warning restore RS0030

    /// <summary>Tries each, and says in a line what came of it.</summary>
    public static bool AllRefuse()
    {
        bool all = true;
        foreach ((string name, Action use) in Attempts)
        {
            string outcome = Try(use);
            all &= outcome.Contains("Exception", StringComparison.Ordinal);
            Console.Error.WriteLine($"absent: {name}: {outcome}");
        }

        return all;
    }

    private static string Try(Action use)
    {
        Task attempt = Task.Run(use);
        try
        {
            return attempt.Wait(Patience) ? "WORKS" : "HANGS";
        }
        catch (AggregateException error)
        {
            Exception inner = error.InnerException!;
            Exception cause = inner.GetBaseException();
            return $"{inner.GetType().Name}: {inner.Message}" + (cause == inner ? "" : $" ({cause.GetType().Name}: {cause.Message})");
        }
    }
}
