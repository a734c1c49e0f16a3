using System;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Client;

/// <summary>Carries Tightbeam calls to a service of the secure world, over one session and in memory registered for it.</summary>
/// <remarks>One call at a time. The driver cannot be called back: a caller that gives up is free at once, and the call's memory when it returns.</remarks>
public sealed class TeeTransport : ITransport, IAsyncTransport, IDisposable
{
    private const int Room = WireHeader.MessageCallBytes;

    private readonly TeeSession _session;
    private readonly SharedMemory _memory;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _answered;

    private TeeTransport(TeeSession session, SharedMemory memory)
    {
        _session = session;
        _memory = memory;
    }

    public TeeSession Session => _session;

    /// <summary>Why the last call had no answer: what the secure world said, or the kernel. Null when it had one.</summary>
    public TeeException? Failure { get; private set; }

    public Span<byte> Request => _memory.Span[..Room];

    public ReadOnlySpan<byte> Response => _memory.Span.Slice(Room, _answered);

    public static TeeTransport Open(TeeDevice device, ServiceName service)
    {
        ArgumentNullException.ThrowIfNull(device);
        TeeSession session = device.OpenSession(service);
        try
        {
            return new TeeTransport(session, SharedMemory.Register(device, 2 * Room));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = 0;
        Failure = null;
        if (attachments.CapabilitySlot != 0)
        {
            attachments.CapabilitySlot = 0;
            return Status.Denied;
        }

        SharedMemory? first = null;
        SharedMemory? second = null;
        try
        {
            Span<TeeParameter> parameters =
            [
                TeeParameter.Memory(_memory, TeeDirection.In, 0, requestBytes),
                TeeParameter.Memory(_memory, TeeDirection.Out, Room, Room),
                Lend(attachments.First, attachments.FirstAccess, out first),
                Lend(attachments.Second, attachments.SecondAccess, out second),
            ];
            TeeResult result = _session.TryInvoke(WireHeader.TeeOperation, parameters);
            if (!result.Succeeded)
            {
                Failure = TeeException.FromResult("call service", _session.Service.ToString(), result, opening: false);
                return result.Status;
            }

            if (parameters[1].B is 0 or > Room)
            {
                return Status.BadReply;
            }

            _answered = (int)parameters[1].B;
            TakeBack(first, attachments.First, attachments.FirstAccess);
            TakeBack(second, attachments.Second, attachments.SecondAccess);
            return Status.Ok;
        }
        catch (TeeException failure)
        {
            Failure = failure;
            return failure.Failure == TeeFailure.NoMemory ? Status.NoMemory : failure.Failure == TeeFailure.SecureWorldEnded ? Status.PeerDied : Status.Failed;
        }
        finally
        {
            first?.Dispose();
            second?.Dispose();
        }
    }

    public async Task<int> CallAsync(ReadOnlyMemory<byte> request, Memory<byte> response, AsyncAttachments attachments, Deadline deadline, CancellationToken cancellationToken)
    {
        if (request.Length > Room)
        {
            throw new TightbeamException(Status.TooBig, "The request is longer than a message of the secure world.");
        }

        if (!await _turn.WaitAsync(deadline.Remaining, cancellationToken).ConfigureAwait(false))
        {
            throw new TightbeamException(Status.TimedOut, "The call did not begin before its deadline.");
        }

        SharedMemory? first = null;
        SharedMemory? second = null;
        Task<Status>? work = null;
        try
        {
            // What the call touches is its own until it returns, even when nobody waits for it any more.
            first = Copy(attachments.First);
            second = Copy(attachments.Second);
            request.Span.CopyTo(Request);
            SharedMemory? a = first;
            SharedMemory? b = second;
            work = Task.Run(() => CallWith(request.Length, a, attachments.First, b, attachments.Second), CancellationToken.None);
            Status status = await work.WaitAsync(deadline.Remaining, cancellationToken).ConfigureAwait(false);
            if (status != Status.Ok)
            {
                throw new TightbeamException(status, Failure?.Message ?? "No answer came.");
            }

            if (_answered > response.Length)
            {
                throw new TightbeamException(Status.BadReply, "The answer is longer than any to this operation.");
            }

            Response.CopyTo(response.Span);
            CopyBack(first, attachments.First);
            CopyBack(second, attachments.Second);
            return _answered;
        }
        catch (TimeoutException)
        {
            throw new TightbeamException(Status.TimedOut, "No answer came before the deadline.");
        }
        finally
        {
            if (work is null || work.IsCompleted)
            {
                End(first, second);
            }
            else
            {
                _ = work.ContinueWith(_ => End(first, second), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    /// <summary>Not while a call is under way.</summary>
    public void Dispose()
    {
        _memory.Dispose();
        _session.Dispose();
        _turn.Dispose();
    }

    private Status CallWith(int requestBytes, SharedMemory? first, AsyncBuffer firstBuffer, SharedMemory? second, AsyncBuffer secondBuffer)
    {
        Attachments attachments = default;
        Status status = first is null ? Status.Ok : attachments.Add(first.Lend(0, firstBuffer.Length), firstBuffer.Access);
        status = second is null || status != Status.Ok ? status : attachments.Add(second.Lend(0, secondBuffer.Length), secondBuffer.Access);
        return status == Status.Ok ? Call(requestBytes, ref attachments) : status;
    }

    private SharedMemory? Copy(AsyncBuffer buffer)
    {
        if (buffer.Access == SharedAccess.None)
        {
            return null;
        }

        SharedMemory memory = SharedMemory.Register(_session.Device, Math.Max(1, buffer.Length));
        buffer.Input.Span.CopyTo(memory.Span);
        return memory;
    }

    private static void CopyBack(SharedMemory? memory, AsyncBuffer buffer)
    {
        if (memory is not null && buffer.Access == SharedAccess.Write)
        {
            memory.Span[..buffer.Length].CopyTo(buffer.Output.Span);
        }
    }

    private void End(SharedMemory? first, SharedMemory? second)
    {
        first?.Dispose();
        second?.Dispose();
        _ = _turn.Release();
    }

    /// <summary>Registered memory is lent as it is; other memory by a copy in some that is.</summary>
    private TeeParameter Lend(SharedBuffer buffer, SharedAccess access, out SharedMemory? copy)
    {
        copy = null;
        if (access == SharedAccess.None)
        {
            return TeeParameter.None;
        }

        TeeDirection direction = access == SharedAccess.Write ? TeeDirection.Out : TeeDirection.In;
        if (buffer.Handle != 0)
        {
            return TeeParameter.Raw((ulong)direction, buffer.Offset, (ulong)buffer.Length, buffer.Handle - 1);
        }

        copy = SharedMemory.Register(_session.Device, Math.Max(1, buffer.Length));
        if (access == SharedAccess.Read)
        {
            buffer.Memory.CopyTo(copy.Span);
        }

        return TeeParameter.Memory(copy, direction, 0, buffer.Length);
    }

    private static void TakeBack(SharedMemory? copy, SharedBuffer buffer, SharedAccess access)
    {
        if (copy is not null && access == SharedAccess.Write)
        {
            copy.Span[..buffer.Length].CopyTo(buffer.Memory);
        }
    }
}
