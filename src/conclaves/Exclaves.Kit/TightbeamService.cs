using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Kit;

/// <summary>A conclave that offers a Tightbeam interface: one service object for each session, which knows its caller by being that caller's. Calls of one session come one after the other, those of several at once if the host has several threads.</summary>
/// <typeparam name="TDispatcher">Generated for the interface.</typeparam>
public class TightbeamService<TService, TDispatcher> : ConclaveService
    where TService : class
    where TDispatcher : struct, IDispatcher<TService>
{
    private readonly Dictionary<uint, GuardedService<TService, TDispatcher>> _sessions = [];

    /// <summary>Other components by badge, for as long as the conclave lives: one that was started anew finds its object again.</summary>
    private readonly Dictionary<ulong, GuardedService<TService, TDispatcher>> _peers = [];
    private readonly Func<TService> _open;
    private readonly ServiceText _text;

    /// <param name="open">Makes the object of a new session; if it is disposable, it is disposed when the session ends.</param>
    /// <param name="text">Whether callers read what exceptions say.</param>
    public TightbeamService(Func<TService> open, ServiceText text = ServiceText.Redacted)
    {
        _open = open;
        _text = text;
    }

    public sealed override void Open(ServiceCall call)
    {
        Close(call.Session);
        GuardedService<TService, TDispatcher> service = new(_open(), _text, Report);
        lock (_sessions)
        {
            _sessions.Add(call.Session, service);
        }
    }

    public sealed override void Close(uint session)
    {
        GuardedService<TService, TDispatcher>? service;
        lock (_sessions)
        {
            _sessions.Remove(session, out service);
        }

        if (service != null)
        {
            lock (service)
            {
                service.Dispose();
            }
        }
    }

    public sealed override int InvokePeer(ulong badge, ReadOnlySpan<byte> request, Span<byte> response)
    {
        GuardedService<TService, TDispatcher>? service;
        lock (_peers)
        {
            if (!_peers.TryGetValue(badge, out service))
            {
                service = new(_open(), _text, Report);
                _peers.Add(badge, service);
            }
        }

        Attachments none = default;
        lock (service)
        {
            return service.Serve(request, response, ref none);
        }
    }

    public sealed override void Invoke(ServiceCall call)
    {
        if (call.Operation != WireHeader.TeeOperation)
        {
            InvokeNumbered(call);
            return;
        }

        GuardedService<TService, TDispatcher>? service;
        lock (_sessions)
        {
            _sessions.TryGetValue(call.Session, out service);
        }

        if (service == null)
        {
            throw new ServiceException(Tee.ErrorBadState, $"Session {call.Session} was never opened.");
        }

        // What is lent can change at any time: copied here once, answered from here.
        bool isLent = call.Kind(0) == ParameterKind.LentIn;
        if (isLent && call.Kind(1) != ParameterKind.LentOut)
        {
            // SK shows what is lent to be read as it is declared: writing the answer there would end the conclave.
            throw new ServiceException(Tee.ErrorBadParameters, $"Parameter 1 is {call.Kind(1)}, and the answer has no place.");
        }

        ReadOnlySpan<byte> request = isLent ? Copy(call.Lent(0)) : call.Input(0);
        Span<byte> response = isLent ? new byte[Math.Min(call.Lent(1).Length, MessageHeader.MaxBodyBytes)] : call.Room(1);
        Attachments attachments = default;
        Attach(call, 2, ref attachments);
        Attach(call, 3, ref attachments);
        int bytes;
        lock (service)
        {
            bytes = service.Serve(request, response, ref attachments);
        }

        if (bytes == 0)
        {
            throw new ServiceException(Tee.ErrorShortBuffer, "Not even the head of an answer fits.");
        }

        if (isLent)
        {
            _ = call.Lent(1).Write(0, response[..bytes]);
            call.Used(1, bytes);
        }
        else
        {
            call.Filled(1, bytes);
        }
    }

    private static byte[] Copy(SharedBuffer lent)
    {
        byte[] copy = new byte[Math.Min(lent.Length, MessageHeader.MaxBodyBytes)];
        return lent.Length == copy.Length && lent.Read(0, copy) == Status.Ok ? copy : throw new ServiceException(Tee.ErrorOutOfMemory);
    }

    /// <summary>Operations that are not of the interface.</summary>
    protected virtual void InvokeNumbered(ServiceCall call) => throw new ServiceException(Tee.ErrorNotSupported);

    private static void Attach(ServiceCall call, int index, ref Attachments attachments)
    {
        Status status;
        switch (call.Kind(index))
        {
            case ParameterKind.None:
                status = Status.Ok;
                break;
            case ParameterKind.BufferIn:
                status = attachments.Add(new SharedBuffer((uint)index, 0, call.Contents(index)), SharedAccess.Read);
                break;
            case ParameterKind.LentIn:
                status = attachments.Add(call.Lent(index), SharedAccess.Read);
                break;
            case ParameterKind.LentOut:
                status = attachments.Add(call.Lent(index), SharedAccess.Write);
                break;
            case ParameterKind.BufferOut:
                Span<byte> room = call.Room(index);
                room.Clear();
                status = attachments.Add(new SharedBuffer((uint)index, 0, room), SharedAccess.Write);
                call.Filled(index, room.Length);
                break;
            default:
                status = Status.BadArgument;
                break;
        }

        if (status != Status.Ok)
        {
            throw new ServiceException(Tee.ErrorBadParameters, $"Parameter {index} is {call.Kind(index)}.");
        }
    }
}
