using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;

namespace Exclaves.Tightbeam.Sockets;

/// <summary>A connection to a <see cref="SocketServer"/>: one session. Asynchronous calls may overlap, and calls that wait are one at a time.</summary>
public sealed class SocketTransport : IAsyncTransport, ITransport, IAsyncDisposable, IDisposable
{
    private readonly Socket _socket;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Pending> _pending = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeSpan _frameTime;
    private readonly byte[] _request = new byte[WireHeader.MaxMessageBytes];
    private readonly byte[] _response = new byte[WireHeader.MaxMessageBytes];
    private readonly Task _receive;
    private bool _isDead;
    private ulong _nextCall;
    private int _answered;

    private SocketTransport(Socket socket, TimeSpan frameTime)
    {
        _socket = socket;
        _frameTime = frameTime;
        _receive = Receive();
    }

    /// <summary>How long a call that waits waits.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public Span<byte> Request => _request;

    public ReadOnlySpan<byte> Response => _response.AsSpan(0, _answered);

    /// <exception cref="SocketException">Nobody listens there, or not to this user.</exception>
    public static async Task<SocketTransport> Connect(string path, TimeSpan? frameTime = null, CancellationToken cancellationToken = default)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new SocketTransport(socket, frameTime ?? TimeSpan.FromSeconds(10));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = 0;
        if (attachments.CapabilitySlot != 0)
        {
            attachments.CapabilitySlot = 0;
            return Status.Denied;
        }

        byte[] first = attachments.First.Memory.ToArray();
        byte[] second = attachments.Second.Memory.ToArray();
        AsyncAttachments copies = default;
        copies = Add(copies, attachments.FirstAccess, first);
        copies = Add(copies, attachments.SecondAccess, second);
        try
        {
            _answered = CallAsync(_request.AsMemory(0, requestBytes), _response, copies, Deadline.After(Patience), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (TightbeamException failure)
        {
            return failure.Status;
        }

        if (attachments.FirstAccess == SharedAccess.Write)
        {
            first.CopyTo(attachments.First.Memory);
        }

        if (attachments.SecondAccess == SharedAccess.Write)
        {
            second.CopyTo(attachments.Second.Memory);
        }

        return Status.Ok;
    }

    public async Task<int> CallAsync(ReadOnlyMemory<byte> request, Memory<byte> response, AsyncAttachments attachments, Deadline deadline, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (attachments.First.Length > Frame.MaxSharedBytes || attachments.Second.Length > Frame.MaxSharedBytes)
        {
            throw new TightbeamException(Status.TooBig, "A shared buffer is longer than the socket carries.");
        }

        Pending pending = new(response, attachments);
        ulong call = Register(pending);
        try
        {
            await Send(call, request, attachments, deadline, cancellationToken).ConfigureAwait(false);
            return await pending.Answer.Task.WaitAsync(deadline.Remaining, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TightbeamException(Status.TimedOut, "No answer came before the deadline.");
        }
        finally
        {
            // Under the lock: from here on the receiver does not touch the caller's memory.
            Forget(call);
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            _socket.Dispose();
            await _receive.ConfigureAwait(false);
        }
    }

    private static AsyncAttachments Add(AsyncAttachments attachments, SharedAccess access, byte[] buffer) => access switch
    {
        SharedAccess.Read => attachments.Read(buffer),
        SharedAccess.Write => attachments.Write(buffer),
        _ => attachments,
    };

    private static TightbeamException Ended() => new(Status.PeerDied, "The connection to the service has ended.");

    private ulong Register(Pending pending)
    {
        lock (_lock)
        {
            if (_isDead)
            {
                throw Ended();
            }

            _pending.Add(++_nextCall, pending);
            return _nextCall;
        }
    }

    private void Forget(ulong call)
    {
        lock (_lock)
        {
            _ = _pending.Remove(call);
        }
    }

    private async Task Send(ulong call, ReadOnlyMemory<byte> request, AsyncAttachments attachments, Deadline deadline, CancellationToken cancellationToken)
    {
        if (!await _sending.WaitAsync(deadline.Remaining, cancellationToken).ConfigureAwait(false))
        {
            throw new TightbeamException(Status.TimedOut, "The request could not be sent before the deadline.");
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        if (!deadline.IsNone)
        {
            limit.CancelAfter(deadline.Remaining);
        }

        try
        {
            (ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) = (Contents(attachments.First), Contents(attachments.Second));
            await Frame.Write(
                _socket, call, request, SharedAccess.Read, attachments.First.Access, first, attachments.Second.Access, second, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Half a frame may be on its way: nothing can follow it.
            Die();
            cancellationToken.ThrowIfCancellationRequested();
            throw error is OperationCanceledException && !_stop.IsCancellationRequested
                ? new TightbeamException(Status.TimedOut, "The request could not be sent before the deadline.")
                : Ended();
        }
        finally
        {
            _ = _sending.Release();
        }
    }

    private static ReadOnlyMemory<byte> Contents(AsyncBuffer buffer) => buffer.Access == SharedAccess.Write ? buffer.Output : buffer.Input;

    private async Task Receive()
    {
        try
        {
            Frame frame = new();
            while (await frame.Read(_socket, SharedAccess.Write, _frameTime, _stop.Token).ConfigureAwait(false))
            {
                lock (_lock)
                {
                    // An answer that nobody waits for any more, or never did, is dropped.
                    if (_pending.Remove(frame.Call, out Pending? pending))
                    {
                        pending.Finish(frame);
                    }
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException or InvalidFrameException or IOException)
        {
            // Whatever it was: nothing comes any more, and Die tells those who wait.
        }

        Die();
    }

    private void Die()
    {
        lock (_lock)
        {
            _isDead = true;
            foreach (Pending pending in _pending.Values)
            {
                _ = pending.Answer.TrySetException(Ended());
            }

            _pending.Clear();
        }

        _socket.Dispose();
    }

    /// <summary>A call that waits for its answer.</summary>
    private sealed class Pending(Memory<byte> response, AsyncAttachments attachments)
    {
        public TaskCompletionSource<int> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Finish(Frame frame)
        {
            if (frame.MessageBytes > response.Length || !Matches(attachments.First, frame.FirstAccess, frame.FirstBytes) || !Matches(attachments.Second, frame.SecondAccess, frame.SecondBytes))
            {
                _ = Answer.TrySetException(new TightbeamException(Status.BadReply, "The answer is not one to this call."));
                return;
            }

            frame.Message.CopyTo(response);
            TakeBack(attachments.First, frame.First);
            TakeBack(attachments.Second, frame.Second);
            _ = Answer.TrySetResult(frame.MessageBytes);
        }

        private static bool Matches(AsyncBuffer buffer, SharedAccess access, int bytes) => buffer.Access == access && buffer.Length == bytes;

        private static void TakeBack(AsyncBuffer buffer, Memory<byte> contents)
        {
            if (buffer.Access == SharedAccess.Write)
            {
                contents.CopyTo(buffer.Output);
            }
        }
    }
}
