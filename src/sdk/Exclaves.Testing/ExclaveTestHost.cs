using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Development;
using Exclaves.Kit;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;

namespace Exclaves.Testing;

/// <summary>A conclave's services inside a test: the conclave's own loop, on a thread of its own.</summary>
public sealed class ExclaveTestHost : IAsyncDisposable
{
    private readonly ConclaveLoop _loop;
    private readonly Thread _thread;
    private readonly string _folder;
    private readonly SocketServer _server;

    private ExclaveTestHost(ConclaveService service, int threads)
    {
        _loop = new ConclaveLoop(service, threads);
        _thread = new Thread(_loop.Run) { IsBackground = true, Name = "conclave" };
        _thread.Start();
        _folder = Directory.CreateTempSubdirectory("exclaves-test-").FullName;
        SocketPath = Path.Combine(_folder, "conclave.sock");
        _server = new SocketServer(SocketPath, _ => _loop.OpenSession());
    }

    /// <summary>The socket, for tests that write to it what no transport would.</summary>
    public string SocketPath { get; }

    /// <summary>Connections to <see cref="SocketPath"/> that are served now.</summary>
    public int Connections => _server.Connections;

    /// <param name="threads">Calls that are served at once, as the conclave says to ServiceHost.Run.</param>
    public static ExclaveTestHost Start(ConclaveService service, int threads = 1) => new(service, threads);

    /// <summary>Opens a session in this process: the transport of a generated client.</summary>
    /// <exception cref="TightbeamException">The service refused it.</exception>
    public TestSession Open() => new(_loop.OpenSession() ?? throw new TightbeamException(Abi.Status.Denied, "The service refused the session."));

    /// <summary>Opens a session over the socket, for calls with deadlines, that overlap, or whose connection ends.</summary>
    public Task<SocketTransport> Connect(CancellationToken cancellationToken = default) => SocketTransport.Connect(SocketPath, cancellationToken: cancellationToken);

    /// <summary>Ends sessions over the socket, then the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync().ConfigureAwait(false);
        _loop.Complete();
        _thread.Join();
        _loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
