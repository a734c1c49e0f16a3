using System;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;

namespace Exclaves.Client;

/// <summary>A session with one service, wherever it runs: in the secure world, or as a process of the build machine while it is developed.</summary>
/// <remarks>Generated clients take it as their transport. One call at a time.</remarks>
public sealed class ServiceConnection : ITransport, IAsyncTransport, IDisposable
{
    /// <summary>Address for programs that were given none.</summary>
    public const string Variable = "EXCLAVE_CONNECT";

    private const string UnixScheme = "unix:";
    private const string TeeScheme = "tee:";

    private readonly ITransport _transport;
    private readonly IAsyncTransport _asyncTransport;
    private readonly TeeDevice? _device;

    private ServiceConnection(TeeDevice device, TeeTransport transport)
    {
        _device = device;
        _transport = transport;
        _asyncTransport = transport;
    }

    private ServiceConnection(SocketTransport transport)
    {
        _transport = transport;
        _asyncTransport = transport;
    }

    public Span<byte> Request => _transport.Request;

    public ReadOnlySpan<byte> Response => _transport.Response;

    /// <summary>Why the last call had no answer, where the transport knows more than the status.</summary>
    public TeeException? Failure => (_transport as TeeTransport)?.Failure;

    /// <summary>Where a conclave called <paramref name="name"/> listens when it runs on this machine.</summary>
    public static string UsualSocket(string name)
    {
        string? own = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        string folder = string.IsNullOrEmpty(own) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache") : own;
        return Path.Combine(folder, "exclaves", name + ".sock");
    }

    /// <summary>Connects to <paramref name="service"/>.</summary>
    /// <param name="address">"tee:DEVICE" or "unix:SOCKET"; null: what EXCLAVE_CONNECT says, else the secure world's device.</param>
    /// <exception cref="TeeException">Nobody is there, or he refuses.</exception>
    public static ServiceConnection Open(ServiceName service, string? address = null)
    {
        address ??= Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(address))
        {
            address = TeeScheme + TeeDevice.DefaultPath;
        }

        if (address.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            return OpenSocket(service, address[UnixScheme.Length..]);
        }

        if (address.StartsWith(TeeScheme, StringComparison.Ordinal))
        {
            return OpenDevice(service, address[TeeScheme.Length..]);
        }

        throw TeeException.Because(TeeFailure.NoDevice, "connect to", address, "an address is tee:DEVICE or unix:SOCKET");
    }

    public Status Call(int requestBytes, scoped ref Attachments attachments) => _transport.Call(requestBytes, ref attachments);

    public Task<int> CallAsync(ReadOnlyMemory<byte> request, Memory<byte> response, AsyncAttachments attachments, Deadline deadline, CancellationToken cancellationToken) =>
        _asyncTransport.CallAsync(request, response, attachments, deadline, cancellationToken);

    public void Dispose()
    {
        (_transport as IDisposable)?.Dispose();
        _device?.Dispose();
    }

    private static ServiceConnection OpenDevice(ServiceName service, string path)
    {
        TeeDevice device = TeeDevice.Open(path);
        try
        {
            return new ServiceConnection(device, TeeTransport.Open(device, service));
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    private static ServiceConnection OpenSocket(ServiceName service, string path)
    {
        try
        {
            return new ServiceConnection(SocketTransport.Connect(path).GetAwaiter().GetResult());
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            throw TeeException.Because(TeeFailure.NoDevice, $"connect to service {service.Label} at", UnixScheme + path, "nobody listens there, or not to this user");
        }
    }
}
