using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Exclaves.Tightbeam.Sockets;

/// <summary>Serves a Tightbeam interface at a Unix socket. Each connection is a session; its calls are served in order.</summary>
public sealed class SocketServer : IAsyncDisposable
{
    private readonly Func<Socket, IServedService> _open;
    private readonly SocketServerOptions _options;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly string _path;
    private readonly Task _accept;
    private int _count;

    /// <param name="path">Of the socket; a file that is there is replaced. Who may connect, its folder's permissions say.</param>
    /// <param name="open">Makes the service object of a new connection; null refuses it. It may ask the socket who the peer is.</param>
    public SocketServer(string path, Func<Socket, IServedService?> open, SocketServerOptions? options = null)
    {
        _path = path;
        _open = open!;
        _options = options ?? new SocketServerOptions();
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _accept = Accept();
    }

    /// <summary>Connections that are served now.</summary>
    public int Connections => Volatile.Read(ref _count);

    /// <summary>Ends all connections and waits until their services are disposed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accept.ConfigureAwait(false);
        await Task.WhenAll(_connections.Keys).ConfigureAwait(false);
        _stop.Dispose();
        File.Delete(_path);
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error)
            {
                // Out of descriptors, or the peer was gone at once: the next may be luckier.
                _options.Report?.Invoke(error);
                await Task.Delay(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
                continue;
            }

            if (Interlocked.Increment(ref _count) > _options.MaxConnections)
            {
                Interlocked.Decrement(ref _count);
                socket.Dispose();
                continue;
            }

            Task connection = Task.Run(() => Serve(socket));
            _connections[connection] = 0;
            _ = connection.ContinueWith(done => _connections.TryRemove(done, out byte _), TaskScheduler.Default);
        }
    }

    private async Task Serve(Socket socket)
    {
        try
        {
            using IServedService? service = _open(socket);
            if (service is not null)
            {
                await Serve(socket, service).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            // One peer's end is nobody else's.
            if (!_stop.IsCancellationRequested)
            {
                _options.Report?.Invoke(error);
            }
        }
        finally
        {
            socket.Dispose();
            Interlocked.Decrement(ref _count);
        }
    }

    private async Task Serve(Socket socket, IServedService service)
    {
        Frame frame = new();
        byte[] response = new byte[WireHeader.MaxMessageBytes];
        while (await frame.Read(socket, SharedAccess.Read, _options.FrameTime, _stop.Token).ConfigureAwait(false))
        {
            int bytes = Dispatch(frame, service, response);
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(_options.FrameTime);
            await Frame.Write(
                socket, frame.Call, response.AsMemory(0, bytes), SharedAccess.Write, frame.FirstAccess, frame.First, frame.SecondAccess, frame.Second, limit.Token).ConfigureAwait(false);
        }
    }

    private static int Dispatch(Frame frame, IServedService service, byte[] response)
    {
        Attachments attachments = default;
        if (frame.FirstAccess != SharedAccess.None)
        {
            _ = attachments.Add(new SharedBuffer(1, 0, frame.First.Span), frame.FirstAccess);
        }

        if (frame.SecondAccess != SharedAccess.None)
        {
            _ = attachments.Add(new SharedBuffer(2, 0, frame.Second.Span), frame.SecondAccess);
        }

        return service.Serve(frame.Message.Span, response, ref attachments);
    }
}
