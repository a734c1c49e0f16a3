using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Kit;

/// <summary>One message from a client, checked, and the answer that grows in its place.</summary>
/// <remarks>It lies over the host's one buffer: valid until the service returns, and for one call at a time.</remarks>
public sealed class ServiceCall
{
    /// <summary>Buffer contents start no earlier in the body.</summary>
    public static readonly int FixedBytes = Unsafe.SizeOf<ServiceMessage>();

    private readonly byte[] _message;
    private int _replyBytes;
    private uint _answered;

    internal ServiceCall(byte[] message) => _message = message;

    public uint Session => Body.Session;

    public uint Operation => Body.Operation;

    /// <summary>Login kind, as Linux states it: a claim, not a fact.</summary>
    public uint Login => Body.Login;

    internal int ReplyBytes => _replyBytes;

    private ref ServiceMessage Body => ref MemoryMarshal.AsRef<ServiceMessage>(_message.AsSpan(MessageHeader.Bytes, FixedBytes));

    /// <summary>The private copy of what the client passed in parameter <paramref name="index"/>.</summary>
    public ReadOnlySpan<byte> Input(int index)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.BufferIn, ParameterKind.BufferInOut);
        return _message.AsSpan(MessageHeader.Bytes + (int)parameter.Offset, (int)parameter.A);
    }

    /// <summary>As <see cref="Input"/>: the copy is the service's own.</summary>
    internal Span<byte> Contents(int index)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.BufferIn, ParameterKind.BufferIn);
        return _message.AsSpan(MessageHeader.Bytes + (int)parameter.Offset, (int)parameter.A);
    }

    /// <summary>Parameter <paramref name="index"/> in place: pages of the caller's, which it can change at any time, so it is read and written by copying. Copy once, then check the copy.</summary>
    /// <remarks>For components that declare `lentBuffers`, on threads that are declared. What is written to a buffer that was lent to be read ends the conclave.</remarks>
    public SharedBuffer Lent(int index)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.LentIn, ParameterKind.LentInOut, ParameterKind.LentOut);
        return parameter.A == 0 ? default : new SharedBuffer((uint)index, 0, LentMemory.Span(LentAt(index).Address + parameter.Offset, (int)parameter.A));
    }

    /// <summary>The pair of values of parameter <paramref name="index"/>.</summary>
    public (uint A, uint B) Values(int index)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.ValueIn, ParameterKind.ValueInOut);
        return ((uint)parameter.A, (uint)parameter.B);
    }

    /// <summary>Answers a pair of values in parameter <paramref name="index"/>.</summary>
    public void SetValues(int index, uint a, uint b)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.ValueOut, ParameterKind.ValueInOut);
        parameter.A = a;
        parameter.B = b;
    }

    /// <summary>Answers <paramref name="content"/> in parameter <paramref name="index"/>, or "short buffer" with the size that is needed.</summary>
    public void Output(int index, ReadOnlySpan<byte> content)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.BufferOut, ParameterKind.BufferInOut);
        _answered |= 1u << index;
        ulong room = parameter.A;
        parameter.A = (ulong)content.Length;
        if ((ulong)content.Length > room)
        {
            throw new ServiceException(Tee.ErrorShortBuffer);
        }

        content.CopyTo(_message.AsSpan(MessageHeader.Bytes + (int)parameter.Offset));
        _replyBytes = Math.Max(_replyBytes, (int)parameter.Offset + content.Length);
    }

    /// <summary>The place in the answer for parameter <paramref name="index"/>, to be filled there; <see cref="Filled"/> says how far.</summary>
    public Span<byte> Room(int index)
    {
        ref ServiceParameter parameter = ref Require(index, ParameterKind.BufferOut, ParameterKind.BufferOut);
        return parameter.C != 0 ? default : _message.AsSpan(MessageHeader.Bytes + (int)parameter.Offset, (int)parameter.A);
    }

    /// <summary>The first <paramref name="bytes"/> of <see cref="Room"/> are the answer.</summary>
    public void Filled(int index, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)Room(index).Length, nameof(bytes));
        ref ServiceParameter parameter = ref Parameter(index);
        _answered |= 1u << index;
        parameter.A = (ulong)bytes;
        _replyBytes = Math.Max(_replyBytes, (int)parameter.Offset + bytes);
    }

    /// <summary>How much of a lent buffer is the answer; when nobody says, all of it.</summary>
    internal void Used(int index, int bytes) => Require(index, ParameterKind.LentOut, ParameterKind.LentInOut).A = (ulong)bytes;

    /// <summary>Whether parameter <paramref name="index"/> is there, and carries in, or out.</summary>
    public ParameterKind Kind(int index) => index is >= 0 and < ServiceMessage.MaxParameters ? Parameter(index).Kind : ParameterKind.None;

    /// <summary>Takes over a message of <paramref name="bytes"/> (header included); false when it is not one that a service can be given.</summary>
    internal bool TryBegin(int bytes)
    {
        _replyBytes = FixedBytes;
        _answered = 0;
        int body = bytes - MessageHeader.Bytes;
        ref MessageHeader header = ref Header(_message);
        if (body < FixedBytes || body > MessageHeader.MaxBodyBytes || header.Length != (uint)body) { return false; }

        for (int i = 0; i < ServiceMessage.MaxParameters; i++)
        {
            if (!IsSound(in Parameter(i), (ulong)body, LentAt(i))) { return false; }
        }

        return true;
    }

    /// <summary>Makes the answer: buffers that the service left alone come back empty.</summary>
    internal void Finish(uint result)
    {
        for (int i = 0; i < ServiceMessage.MaxParameters; i++)
        {
            ref ServiceParameter parameter = ref Parameter(i);
            bool isOutput = parameter.Kind is ParameterKind.BufferOut or ParameterKind.BufferInOut;
            if (isOutput && (_answered & (1u << i)) == 0) { parameter.A = 0; }
        }

        Body.Result = result;
        ref MessageHeader header = ref Header(_message);
        header.Label = MessageLabel.Reply;
        header.Status = Status.Ok;
        header.Length = (uint)_replyBytes;
    }

    internal static ref MessageHeader Header(byte[] message) => ref MemoryMarshal.AsRef<MessageHeader>(message.AsSpan());

    private static bool IsSound(in ServiceParameter parameter, ulong body, LentRange lent) => parameter.Kind switch
    {
        ParameterKind.None or ParameterKind.ValueIn or ParameterKind.ValueOut or ParameterKind.ValueInOut => true,
        ParameterKind.BufferIn or ParameterKind.BufferInOut => Fits(in parameter, body),
        ParameterKind.BufferOut => Fits(in parameter, MessageHeader.MaxBodyBytes),
        ParameterKind.LentIn or ParameterKind.LentOut or ParameterKind.LentInOut => parameter.A == 0 || Fits(in parameter, lent),
        _ => false,
    };

    private static bool Fits(in ServiceParameter parameter, ulong limit) =>
        parameter.Offset >= (uint)FixedBytes && parameter.Offset <= limit && parameter.A <= limit - parameter.Offset;

    /// <summary>SK says where the pages are; how much of them is meant, the message.</summary>
    private static bool Fits(in ServiceParameter parameter, LentRange lent)
    {
        ulong room = lent.IsNone ? 0 : lent.Pages * UserLayout.PageBytes;
        return parameter.Offset <= room && parameter.A <= room - parameter.Offset;
    }

    private LentRange LentAt(int index) => new(Unsafe.Add(ref Header(_message).Word0, index));

    private ref ServiceParameter Parameter(int index) => ref Unsafe.Add(ref Body.P0, index);

    private ref ServiceParameter Require(int index, ParameterKind first, ParameterKind second, ParameterKind third = ParameterKind.None)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)ServiceMessage.MaxParameters, nameof(index));
        ref ServiceParameter parameter = ref Parameter(index);
        if (parameter.Kind == ParameterKind.None || (parameter.Kind != first && parameter.Kind != second && parameter.Kind != third))
        {
            throw new ServiceException(Tee.ErrorBadParameters, $"Parameter {index} is {parameter.Kind}, not {first}.");
        }

        return ref parameter;
    }
}
