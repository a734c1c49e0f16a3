using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Runtime;

/// <summary>A Tightbeam request in a service's message: p0 = request, p1 = answer, p2 and p3 = shared buffers.</summary>
public static class TightbeamServer
{
    private const uint Alignment = 8;

    /// <summary>Serves a message whose operation is <see cref="WireHeader.TeeOperation"/>.</summary>
    /// <returns>A GlobalPlatform result: success whenever p1 holds an answer, whatever that says.</returns>
    public static uint Serve<TService, TDispatcher>(ref ServiceMessage message, ref TService service)
        where TService : struct
        where TDispatcher : struct, IDispatcher<TService>
    {
        Span<byte> body = IpcPage.Own.Body;
        Span<byte> request;
        Span<byte> response;
        LentBuffer answer = default;
        if (message.P0.Kind == ParameterKind.BufferIn && message.P1.Kind == ParameterKind.BufferOut)
        {
            request = ServiceServer.Buffer(ref message.P0);
            response = ServiceServer.Buffer(ref message.P1);
        }
        else if (message.P0.Kind == ParameterKind.LentIn && message.P1.Kind == ParameterKind.LentOut)
        {
            // The caller may write to these pages at any time: copied here once, answered from here. The body holds nothing but the message now.
            LentBuffer asked = LentBuffer.Of(ref message, 0);
            answer = LentBuffer.Of(ref message, 1);
            int start = Unsafe.SizeOf<ServiceMessage>();
            if (asked.Bytes > (ulong)(body.Length - start))
            {
                return Tee.ErrorOutOfMemory;
            }

            request = body.Slice(start, (int)asked.Bytes);
            int next = (int)((uint)(start + request.Length) + Alignment - 1 & ~(Alignment - 1));
            response = body.Slice(Math.Min(next, body.Length));
            response = (ulong)response.Length > answer.Bytes ? response.Slice(0, (int)answer.Bytes) : response;
            if (!asked.TryRead(0, request))
            {
                return Tee.ErrorBadParameters;
            }
        }
        else
        {
            return Tee.ErrorBadParameters;
        }

        Attachments attachments = default;
        uint result = Attach(ref message, 2, message.P2.Kind != ParameterKind.None, ref attachments);
        result = result == Tee.Success ? Attach(ref message, 3, message.P2.Kind != ParameterKind.None, ref attachments) : result;
        if (result != Tee.Success)
        {
            return result;
        }

        int bytes = TDispatcher.Dispatch(ref service, request, response, ref attachments);
        message.P1.A = (ulong)bytes;
        if (bytes == 0)
        {
            return Tee.ErrorShortBuffer;
        }

        return message.P1.Kind == ParameterKind.LentOut && !answer.TryWrite(0, response.Slice(0, bytes)) ? Tee.ErrorBadParameters : Tee.Success;
    }

    /// <summary>Serves another component (<see cref="IPeerService"/>); buffers and capabilities do not go along.</summary>
    public static int ServePeer<TService, TDispatcher>(scoped ReadOnlySpan<byte> request, scoped Span<byte> response, ref TService service)
        where TService : struct
        where TDispatcher : struct, IDispatcher<TService>
    {
        Attachments none = default;
        return TDispatcher.Dispatch(ref service, request, response, ref none);
    }

    /// <summary>Parameter <paramref name="index"/> as the next shared buffer; the second needs the first.</summary>
    private static uint Attach(scoped ref ServiceMessage message, int index, bool follows, ref Attachments attachments)
    {
        ref ServiceParameter parameter = ref Unsafe.Add(ref message.P0, index);
        SharedBuffer buffer;
        SharedAccess access;
        switch (parameter.Kind)
        {
            case ParameterKind.None:
                return Tee.Success;
            case ParameterKind.BufferIn when follows:
                buffer = new SharedBuffer((uint)index, 0, ServiceServer.Buffer(ref parameter));
                access = SharedAccess.Read;
                break;
            case ParameterKind.BufferOut when follows:
                Span<byte> room = ServiceServer.Buffer(ref parameter);
                room.Clear();
                buffer = new SharedBuffer((uint)index, 0, room);
                access = SharedAccess.Write;
                break;
            case ParameterKind.LentIn or ParameterKind.LentOut when follows:
                LentBuffer lent = LentBuffer.Of(ref message, index);
                if (lent.Bytes != parameter.A)
                {
                    return Tee.ErrorBadParameters;
                }

                buffer = new SharedBuffer((uint)index, 0, lent.Memory);
                access = parameter.Kind == ParameterKind.LentIn ? SharedAccess.Read : SharedAccess.Write;
                break;
            default:
                return Tee.ErrorBadParameters;
        }

        return attachments.Add(buffer, access) == Status.Ok ? Tee.Success : Tee.ErrorBadParameters;
    }
}
