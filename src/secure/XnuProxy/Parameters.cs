using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>Parameters of a call: private copies on the way in, field by field on the way out (I7).</summary>
/// <remarks>Never written: attributes and cookies, which the driver turns back into pointers.</remarks>
public static class Parameters<TSystem> where TSystem : struct, IProxySystem
{
    private const uint BufferAlignment = 8;

    /// <summary>The message takes buffers along in place.</summary>
    public static bool Lends => (TSystem.Message.Word0 | TSystem.Message.Word1 | TSystem.Message.Word2 | TSystem.Message.Word3) != 0;

    /// <summary>Turns the client's parameters into the message's. Answers a result code.</summary>
    /// <param name="lends">The service sees registered buffers in place.</param>
    public static uint Read(ref ProxyState state, ref Request request, ref ArgumentCopy argument, bool lends)
    {
        int count = (int)argument.Header.ParameterCount - request.FirstParameter;
        request.ParameterCount = Math.Min(count, ServiceMessage.MaxParameters);
        uint next = Align((uint)Unsafe.SizeOf<ServiceMessage>());
        int outputs = 0;
        for (int i = 0; i < count; i++)
        {
            ref MessageParameter parameter = ref argument.Parameters[request.FirstParameter + i];
            if (i >= ServiceMessage.MaxParameters)
            {
                if (parameter.Attribute != 0)
                {
                    return Tee.ErrorNotSupported;
                }

                continue;
            }

            uint result = ReadOne(ref state, ref request.Parameters[i], ref MessageParameterOf(i), in parameter, ref lends ? ref LentOf(i) : ref Unsafe.NullRef<ulong>(), ref next);
            if (result != Tee.Success)
            {
                return result;
            }

            outputs += request.Parameters[i].Kind == ParameterKind.BufferOut ? 1 : 0;
        }

        if (outputs != 0)
        {
            PlaceOutputs(ref request, next, outputs);
        }

        TSystem.Message.Length = next;
        return Tee.Success;
    }

    /// <summary>Copies the answer's values and buffers to the client. Answers the result code that the client sees.</summary>
    public static uint WriteBack(ref ProxyState state, ref Request request, uint result)
    {
        uint length = TSystem.Message.Length;
        for (int i = 0; i < request.ParameterCount; i++)
        {
            ref RequestParameter parameter = ref request.Parameters[i];
            ref ServiceParameter answer = ref MessageParameterOf(i);
            ulong at = request.Argument.Address + MessageArgument.Bytes + ((ulong)(request.FirstParameter + i) * MessageParameter.Bytes);
            switch (parameter.Kind)
            {
                case ParameterKind.ValueOut or ParameterKind.ValueInOut:
                    TSystem.CopyOut(at + MessageParameter.ValueOffset, MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref answer.A, 3)));
                    break;

                case ParameterKind.BufferOut or ParameterKind.BufferInOut or ParameterKind.LentOut or ParameterKind.LentInOut:
                    ulong used = answer.A;
                    TSystem.CopyOut(at + MessageParameter.SizeOffset, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in used)));
                    uint written = parameter.Kind is ParameterKind.LentOut or ParameterKind.LentInOut
                        ? used > parameter.Size ? Tee.ErrorShortBuffer : Tee.Success
                        : WriteBuffer(ref state, in parameter, used, length);
                    result = written != Tee.Success && result == Tee.Success ? written : result;
                    break;

                default:
                    break;
            }
        }

        return result;
    }

    /// <param name="lent">The message's word for a buffer that goes along in place; null when they are copied.</param>
    private static uint ReadOne(
        ref ProxyState state, ref RequestParameter request, ref ServiceParameter message, in MessageParameter parameter, ref ulong lent, ref uint next)
    {
        request = default;
        uint type = (uint)(parameter.Attribute & MessageParameter.TypeMask);
        if ((parameter.Attribute & ~MessageParameter.TypeMask) != 0)
        {
            return Tee.ErrorBadParameters;
        }

        switch (type)
        {
            case 0:
                return Tee.Success;

            case <= (uint)ParameterKind.ValueInOut:
                request.Kind = (ParameterKind)type;
                message.Kind = request.Kind;
                if (request.Kind != ParameterKind.ValueOut)
                {
                    message.A = parameter.A;
                    message.B = parameter.B;
                    message.C = parameter.C;
                }

                return Tee.Success;

            case >= MessageParameter.RegisteredInput and <= MessageParameter.RegisteredInOut:
                request.Kind = (ParameterKind)type;
                if (!SharedMemory<TSystem>.TryPlace(ref state, parameter.C, parameter.A, parameter.B, out request.Buffer))
                {
                    return Tee.ErrorBadParameters;
                }

                return Unsafe.IsNullRef(ref lent)
                    ? ReadBuffer(ref request, ref message, parameter.B, ref next)
                    : LendBuffer(ref request, ref message, parameter.B, ref lent);

            // A temporary reference is legal only as "no buffer at all"; its size may ask how much would be needed.
            case >= MessageParameter.TemporaryInput and <= MessageParameter.TemporaryInOut when parameter.A == 0 && parameter.C == 0:
                request.Kind = (ParameterKind)(type - (MessageParameter.TemporaryInput - MessageParameter.RegisteredInput));
                message.Kind = request.Kind;
                message.B = parameter.B;
                message.C = 1;
                message.Offset = next;
                return Tee.Success;

            default:
                return Tee.ErrorBadParameters;
        }
    }

    /// <summary>Contents that go in are copied once, here.</summary>
    private static uint ReadBuffer(ref RequestParameter request, ref ServiceParameter message, ulong bytes, ref uint next)
    {
        request.Size = bytes;
        message.Kind = request.Kind;
        message.B = bytes;
        if (request.Kind == ParameterKind.BufferOut)
        {
            return Tee.Success;
        }

        if (bytes > MessageHeader.MaxBodyBytes - next)
        {
            return Tee.ErrorOutOfMemory;
        }

        request.BodyOffset = next;
        request.Capacity = (uint)bytes;
        message.Offset = next;
        message.A = bytes;
        if (bytes != 0)
        {
            TSystem.CopyIn(TSystem.Body.Slice((int)next, (int)bytes), request.Buffer.Address);
        }

        next = Math.Min(Align(next + (uint)bytes), MessageHeader.MaxBodyBytes);
        return Tee.Success;
    }

    /// <summary>The pages that hold a buffer go along in place; SK adds up how many there are.</summary>
    private static uint LendBuffer(ref RequestParameter request, ref ServiceParameter message, ulong bytes, ref ulong lent)
    {
        const ulong PageMask = UserLayout.PageBytes - 1;
        request.Size = bytes;
        request.Kind += ParameterKind.LentIn - ParameterKind.BufferIn;
        message.Kind = request.Kind;
        message.A = bytes;
        message.B = bytes;
        ulong offset = request.Buffer.Address & PageMask;
        message.Offset = (uint)offset;
        ulong pages = (offset + bytes + PageMask) / UserLayout.PageBytes;
        if (pages > LentRange.MaxPages)
        {
            return Tee.ErrorOutOfMemory;
        }

        lent = bytes == 0 ? 0 : LentRange.Create(request.Buffer.Address & ~PageMask, (uint)pages, request.Kind != ParameterKind.LentIn).Value;
        return Tee.Success;
    }

    /// <summary>Buffers that only come out share the rest of the body; the message itself ends before them.</summary>
    private static void PlaceOutputs(ref Request request, uint next, int outputs)
    {
        for (int i = 0; i < request.ParameterCount && outputs != 0; i++)
        {
            ref RequestParameter parameter = ref request.Parameters[i];
            if (parameter.Kind != ParameterKind.BufferOut)
            {
                continue;
            }

            uint share = (uint)(MessageHeader.MaxBodyBytes - next) / (uint)outputs & ~(BufferAlignment - 1);
            parameter.BodyOffset = next;
            parameter.Capacity = (uint)Math.Min(parameter.Size, share);
            ref ServiceParameter message = ref MessageParameterOf(i);
            message.Offset = next;
            message.A = parameter.Capacity;
            next = Math.Min(Align(next + parameter.Capacity), MessageHeader.MaxBodyBytes);
            outputs--;
        }
    }

    /// <summary>Copies what the service put into a buffer; the size that the service claims is not trusted.</summary>
    private static uint WriteBuffer(ref ProxyState state, in RequestParameter parameter, ulong used, uint length)
    {
        if (used > parameter.Size)
        {
            return Tee.ErrorShortBuffer;
        }

        if (used > parameter.Capacity)
        {
            return Tee.ErrorOutOfMemory;
        }

        if (used == 0)
        {
            return Tee.Success;
        }

        if (parameter.BodyOffset + used > length)
        {
            return Tee.ErrorCommunication;
        }

        if (!SharedMemory<TSystem>.IsValid(ref state, in parameter.Buffer))
        {
            return Tee.ErrorBadState;
        }

        TSystem.CopyOut(parameter.Buffer.Address, TSystem.Body.Slice((int)parameter.BodyOffset, (int)used));
        return Tee.Success;
    }

    private static ref ServiceParameter MessageParameterOf(int index)
    {
        ref ServiceMessage message = ref MemoryMarshal.AsRef<ServiceMessage>(TSystem.Body);
        return ref MemoryMarshal.CreateSpan(ref message.P0, ServiceMessage.MaxParameters)[index];
    }

    private static ref ulong LentOf(int index) => ref MemoryMarshal.CreateSpan(ref TSystem.Message.Word0, ServiceMessage.MaxParameters)[index];

    private static uint Align(uint value) => (value + BufferAlignment - 1) & ~(BufferAlignment - 1);
}
