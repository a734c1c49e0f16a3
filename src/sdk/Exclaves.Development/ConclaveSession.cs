using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Development;

/// <summary>One session as the service sees it: messages laid out as XnuProxy lays them out, answers read as it reads them.</summary>
internal sealed class ConclaveSession(MessageQueue queue, uint session) : IServedService
{
    private const int Request = 0;
    private const int Answer = 1;
    private const int FirstShared = 2;
    private const int SecondShared = 3;
    private const int Alignment = 8;
    private static readonly int FixedBytes = Unsafe.SizeOf<ServiceMessage>();

    public bool Open()
    {
        Exchange exchange = new();
        return Send(exchange, MessageLabel.Open, FixedBytes) == Tee.Success;
    }

    public void Dispose() => _ = Send(new Exchange(), MessageLabel.Close, FixedBytes); // Nobody hears of an error.

    public int Serve(scoped ReadOnlySpan<byte> request, scoped Span<byte> response, scoped ref Attachments attachments)
    {
        Exchange exchange = new();
        Parameter(exchange, Request).Kind = ParameterKind.BufferIn;
        Parameter(exchange, Answer).Kind = ParameterKind.BufferOut;
        Parameter(exchange, FirstShared).Kind = KindOf(attachments.FirstAccess);
        Parameter(exchange, SecondShared).Kind = KindOf(attachments.SecondAccess);

        int next = FixedBytes;
        bool fits = PlaceInput(exchange, Request, request, ref next)
            && PlaceInput(exchange, FirstShared, attachments.First.Memory, ref next)
            && PlaceInput(exchange, SecondShared, attachments.Second.Memory, ref next);
        int bytes = next;
        PlaceOutputs(exchange, next, Math.Min(response.Length, WireHeader.MessageCallBytes), attachments.First.Length, attachments.Second.Length);
        uint result = fits ? Send(exchange, MessageLabel.Invoke, bytes) : Tee.ErrorOutOfMemory;
        if (result == Tee.Success)
        {
            result = TakeBack(exchange, attachments.First.Memory, FirstShared);
            result = result == Tee.Success ? TakeBack(exchange, attachments.Second.Memory, SecondShared) : result;
            result = result == Tee.Success ? TakeBack(exchange, response, Answer) : result;
        }

        int answered = (int)Parameter(exchange, Answer).A;
        return result == Tee.Success && answered != 0 ? answered : Refuse(request, response, new TeeResult(result, Tee.OriginTrustedApplication).Status);
    }

    /// <summary>A result code is no message: over the TEE the transport makes a status of it at the caller's, here it must travel.</summary>
    private static int Refuse(scoped ReadOnlySpan<byte> request, scoped Span<byte> response, Status status)
    {
        bool isHeader = request.Length >= WireHeader.Bytes;
        return WireHeader.EncodeFailure(
            response,
            isHeader ? BinaryPrimitives.ReadUInt32LittleEndian(request[4..]) : 0,
            isHeader ? Math.Max((ushort)1, BinaryPrimitives.ReadUInt16LittleEndian(request[8..])) : (ushort)1,
            isHeader ? BinaryPrimitives.ReadUInt16LittleEndian(request[10..]) : (ushort)0,
            status == Status.Ok ? Status.Failed : status,
            0,
            []);
    }

    private static ParameterKind KindOf(SharedAccess access) => access switch
    {
        SharedAccess.Read => ParameterKind.BufferIn,
        SharedAccess.Write => ParameterKind.BufferOut,
        _ => ParameterKind.None,
    };

    private static ref ServiceParameter Parameter(Exchange exchange, int index) =>
        ref Unsafe.Add(ref MemoryMarshal.AsRef<ServiceMessage>(exchange.Body[..FixedBytes]).P0, index);

    private static bool PlaceInput(Exchange exchange, int index, ReadOnlySpan<byte> contents, ref int next)
    {
        ref ServiceParameter parameter = ref Parameter(exchange, index);
        if (parameter.Kind != ParameterKind.BufferIn)
        {
            return true;
        }

        if (contents.Length > MessageHeader.MaxBodyBytes - next)
        {
            return false;
        }

        parameter.Offset = (uint)next;
        parameter.A = (ulong)contents.Length;
        parameter.B = (ulong)contents.Length;
        contents.CopyTo(exchange.Body[next..]);
        next = Align(next + contents.Length);
        return true;
    }

    /// <summary>Buffers that only come out share the rest of the body.</summary>
    private static void PlaceOutputs(Exchange exchange, int next, params ReadOnlySpan<int> sizes)
    {
        int outputs = 0;
        for (int i = Answer; i <= SecondShared; i++)
        {
            outputs += Parameter(exchange, i).Kind == ParameterKind.BufferOut ? 1 : 0;
        }

        for (int i = Answer; i <= SecondShared; i++)
        {
            ref ServiceParameter parameter = ref Parameter(exchange, i);
            if (parameter.Kind == ParameterKind.BufferOut)
            {
                int share = (MessageHeader.MaxBodyBytes - next) / outputs & ~(Alignment - 1);
                parameter.Offset = (uint)next;
                parameter.B = (ulong)sizes[i - Answer];
                parameter.A = (ulong)Math.Min(sizes[i - Answer], share);
                next = Align(next + (int)parameter.A);
                outputs--;
            }
        }
    }

    private static int Align(int offset) => Math.Min((offset + Alignment - 1) & -Alignment, MessageHeader.MaxBodyBytes);

    /// <summary>Takes what the service put into a buffer; the size that it claims is not trusted.</summary>
    private static uint TakeBack(Exchange exchange, scoped Span<byte> destination, int index)
    {
        ref ServiceParameter parameter = ref Parameter(exchange, index);
        if (parameter.Kind != ParameterKind.BufferOut)
        {
            return Tee.Success;
        }

        if (parameter.A > (ulong)destination.Length)
        {
            return Tee.ErrorShortBuffer;
        }

        if (parameter.Offset + parameter.A > (ulong)(exchange.Bytes - MessageHeader.Bytes))
        {
            return Tee.ErrorCommunication;
        }

        exchange.Body.Slice((int)parameter.Offset, (int)parameter.A).CopyTo(destination);
        return Tee.Success;
    }

    private uint Send(Exchange exchange, MessageLabel label, int bodyBytes)
    {
        ref ServiceMessage body = ref MemoryMarshal.AsRef<ServiceMessage>(exchange.Body[..FixedBytes]);
        body.Session = session;
        body.Operation = label == MessageLabel.Invoke ? WireHeader.TeeOperation : 0;
        MessageHeader header = new() { Label = label, Length = (uint)bodyBytes, Badge = ComponentEntry.ProxyBadge };
        MemoryMarshal.Write(exchange.Message, in header);
        exchange.Bytes = MessageHeader.Bytes + bodyBytes;
        if (!queue.Send(exchange))
        {
            return Tee.ErrorTargetDead;
        }

        return MemoryMarshal.Read<MessageHeader>(exchange.Message).Status == Status.Ok ? body.Result : Tee.ErrorCommunication;
    }
}
