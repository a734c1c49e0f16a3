using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>OPEN, INVOKE, CLOSE and CANCEL: from Linux's argument to a service's message, and back (tee-abi 1.7).</summary>
public static class Calls<TSystem> where TSystem : struct, IProxySystem
{
    private const int MetaParameters = 2;

    /// <summary>Milliseconds that a thread sleeps which has lent its time, before it does so again.</summary>
    private const ulong LenderNap = 1;

    /// <summary>CALL_WITH_REGD_ARG: the argument lies at <paramref name="offset"/> of the buffer <paramref name="cookie"/>.</summary>
    public static Decision Begin(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, ulong cookie, ulong offset)
    {
        if ((offset & 7) != 0 || !SharedMemory<TSystem>.TryPlace(ref state, cookie, offset, MessageArgument.Bytes, out SharedPlace place))
        {
            state.Malformed++;
            return Decision.Finish(downcall, Tee.ReturnBadAddress);
        }

        return Serve(ref state, services, downcall, in place);
    }

    /// <summary>The argument lies at a place that was checked.</summary>
    private static Decision Serve(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, in SharedPlace place)
    {
        Unsafe.SkipInit(out ArgumentCopy argument);
        TSystem.CopyIn(Bytes(ref argument.Header), place.Address);
        ulong bytes = MessageArgument.Bytes + ((ulong)argument.Header.ParameterCount * MessageParameter.Bytes);
        SharedPlace whole = place;
        if (argument.Header.ParameterCount > ArgumentCopy.MaxParameters || !SharedMemory<TSystem>.TryExtend(ref state, ref whole, bytes))
        {
            return Refuse(ref state, downcall, in place, Tee.ErrorBadParameters);
        }

        if (argument.Header.ParameterCount != 0)
        {
            Span<byte> parameters = MemoryMarshal.AsBytes(((Span<MessageParameter>)argument.Parameters)[..(int)argument.Header.ParameterCount]);
            TSystem.CopyIn(parameters, place.Address + MessageArgument.Bytes);
        }

        return argument.Header.Command switch
        {
            MessageCommand.OpenSession => Open(ref state, services, downcall, in whole, ref argument),
            MessageCommand.InvokeCommand => Invoke(ref state, services, downcall, in whole, ref argument),
            MessageCommand.CloseSession => Close(ref state, services, downcall, in whole, ref argument),
            MessageCommand.DoBottomHalf => LendTime(ref state, downcall, in whole),
            MessageCommand.StopAsyncNotification => Stop(ref state, downcall, in whole),
            MessageCommand.Cancel => Cancel(ref state, downcall, in whole, ref argument),
            _ => Refuse(ref state, downcall, in whole, Tee.ErrorNotSupported),
        };
    }

    /// <summary>The service's answer lies in the IPC page (or <paramref name="status"/> says why there is none).</summary>
    public static Decision Complete(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, Status status)
    {
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF) % Request.Capacity];
        if (downcall == 0 || request.Downcall != downcall)
        {
            return Decision.Finish(downcall, Tee.ReturnBadCommand);
        }

        if (request.Populates)
        {
            return EndPopulating(ref state, services, ref request, status);
        }

        if (request.Command == MessageCommand.DoBottomHalf)
        {
            return EndLending(ref state, ref request, status);
        }

        uint origin = Tee.OriginTrustedApplication;
        uint result;
        if (status != Status.Ok)
        {
            result = ResultOf(status);
            origin = Tee.OriginTee;
        }
        else if (TSystem.Message.Length < (uint)Unsafe.SizeOf<ServiceMessage>())
        {
            result = Tee.ErrorCommunication;
            origin = Tee.OriginTee;
        }
        else
        {
            result = MemoryMarshal.AsRef<ServiceMessage>(TSystem.Body).Result;
        }

        bool listens = SharedMemory<TSystem>.IsValid(ref state, in request.Argument);
        if (listens && request.Command == MessageCommand.InvokeCommand && result is Tee.Success or Tee.ErrorShortBuffer && status == Status.Ok)
        {
            result = Parameters<TSystem>.WriteBack(ref state, ref request, result);
        }
        else if (listens && request.Command == MessageCommand.OpenSession && result == Tee.Success)
        {
            result = Parameters<TSystem>.WriteBack(ref state, ref request, result);
        }

        EndSession(ref state, ref request, ref result, listens);
        SharedPlace argument = request.Argument;
        request.Downcall = 0;
        state.RequestCount--;
        if (!listens)
        {
            return Decision.Finish(downcall, Tee.ReturnBadAddress);
        }

        return End(ref state, ref request, Answer(downcall, in argument, result, origin));
    }

    /// <summary>Whoever has not given up meanwhile has his call begun anew; if FrameMint has failed, SK refuses those that would need it.</summary>
    private static Decision EndPopulating(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ref Request request, Status status)
    {
        ulong downcall = request.Downcall;
        SharedPlace place = Booting<TSystem>.End(ref state, ref request, status);
        return !SharedMemory<TSystem>.IsValid(ref state, in place) ? Decision.Finish(downcall, Tee.ReturnBadAddress)
            : status is Status.Busy or Status.Cancelled ? Answer(downcall, in place, ResultOf(status), Tee.OriginTee)
            : Serve(ref state, services, downcall, in place);
    }

    /// <summary>What Linux's client learns when no service has answered.</summary>
    private static uint ResultOf(Status status) => status switch
    {
        Status.PeerDied => Tee.ErrorTargetDead,
        Status.Reclaimed => Tee.ErrorMemoryReclaimed,
        Status.Busy => Tee.ErrorCancel,
        Status.Cancelled => Tee.ErrorExternalCancel,
        Status.NotPopulated => Tee.ErrorBadState,
        _ => Tee.ErrorCommunication,
    };

    private static Decision Open(
        ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, in SharedPlace place, ref ArgumentCopy argument)
    {
        const ulong MetaValue = MessageParameter.Meta | MessageParameter.ValueInput;
        if (argument.Header.ParameterCount < MetaParameters
            || argument.Parameters[0].Attribute != MetaValue || argument.Parameters[1].Attribute != MetaValue)
        {
            return Refuse(ref state, downcall, in place, Tee.ErrorBadParameters);
        }

        int service = FindService(services, argument.Parameters[0].A, argument.Parameters[0].B);
        if (service == NotFound)
        {
            return Answer(downcall, in place, Tee.ErrorItemNotFound, Tee.OriginTee);
        }

        if (service >= 0 && Booting<TSystem>.IsDue(in state))
        {
            return Booting<TSystem>.Begin(ref state, downcall, in place);
        }

        int session = state.Sessions.Take(service);
        if (session < 0)
        {
            return Answer(downcall, in place, Tee.ErrorBusy, Tee.OriginTee);
        }

        ref ServiceMessage message = ref StartMessage(ref state, session, MessageLabel.Open);
        message.Login = (uint)argument.Parameters[1].C;
        message.ClientUuidLow = argument.Parameters[1].A;
        message.ClientUuidHigh = argument.Parameters[1].B;
        return Send(ref state, services, downcall, session, in place, ref argument, MetaParameters, MessageCommand.OpenSession);
    }

    private static Decision Invoke(
        ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, in SharedPlace place, ref ArgumentCopy argument)
    {
        int session = state.Sessions.Find(argument.Header.Session);
        if (session < 0 || state.Sessions[session].State != SessionState.Open)
        {
            return Refuse(ref state, downcall, in place, Tee.ErrorBadParameters);
        }

        ref ServiceMessage message = ref StartMessage(ref state, session, MessageLabel.Invoke);
        message.Operation = argument.Header.Function;
        return Send(ref state, services, downcall, session, in place, ref argument, 0, MessageCommand.InvokeCommand);
    }

    private static Decision Close(
        ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, in SharedPlace place, ref ArgumentCopy argument)
    {
        int session = state.Sessions.Find(argument.Header.Session);
        if (session < 0 || state.Sessions[session].State != SessionState.Open)
        {
            return Refuse(ref state, downcall, in place, Tee.ErrorBadParameters);
        }

        state.Sessions[session].State = SessionState.Closing;
        StartMessage(ref state, session, MessageLabel.Close);
        argument.Header.ParameterCount = 0;
        return Send(ref state, services, downcall, session, in place, ref argument, 0, MessageCommand.CloseSession);
    }

    /// <summary>Linux's driver lends a thread.</summary>
    private static Decision LendTime(ref ProxyState state, ulong downcall, in SharedPlace place)
    {
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF)];
        request.Begin(in place, MessageCommand.DoBottomHalf);
        request.Value = LenderNap;
        request.Downcall = downcall;
        return LendTime(ref state, ref request);
    }

    /// <summary>Also after the lender has slept.</summary>
    public static Decision LendTime(ref ProxyState state, ref Request request)
    {
        if (TSystem.LendTime(request.Downcall) == Status.Ok)
        {
            return Decision.Receive;
        }

        // Another one lends already.
        return EndLending(ref state, ref request, Status.Ok);
    }

    /// <summary>Nobody has work left, or ordinary threads of Linux come first for a while.</summary>
    private static Decision EndLending(ref ProxyState state, ref Request request, Status status)
    {
        ulong downcall = request.Downcall;
        if (!state.Wishes && status == Status.Busy && Upcalls<TSystem>.Sleep(ref state, ref request, downcall) == Status.Ok)
        {
            return Decision.Receive;
        }

        SharedPlace place = request.Argument;
        request.Downcall = 0;
        if (!SharedMemory<TSystem>.IsValid(ref state, in place))
        {
            return Decision.Finish(downcall, Tee.ReturnBadAddress);
        }

        // Work that goes on without a call may be short of memory, and nobody else come for long. SK asks for time anew where work is left.
        return End(ref state, ref request, Answer(downcall, in place, Tee.Success, Tee.OriginTee));
    }

    /// <summary>Linux gets its answer, and before that is asked for memory if somebody wishes some.</summary>
    private static Decision End(ref ProxyState state, ref Request request, Decision end) =>
        state.Wishes && Upcalls<TSystem>.TryFetch(ref state, ref request, end) ? Decision.Receive : end;

    /// <summary>The only call of a driver that leaves: it does not end before Linux has its memory back (tee-abi 1.14).</summary>
    private static Decision Stop(ref ProxyState state, ulong downcall, in SharedPlace place)
    {
        Memory<TSystem>.GiveBack(ref state, SecureCallArguments.Everybody);
        return Answer(downcall, in place, Tee.Success, Tee.OriginTee);
    }

    /// <summary>Calls in flight run to their end: services here are short, or poll for themselves.</summary>
    private static Decision Cancel(ref ProxyState state, ulong downcall, in SharedPlace place, ref ArgumentCopy argument) =>
        state.Sessions.Find(argument.Header.Session) < 0
            ? Refuse(ref state, downcall, in place, Tee.ErrorBadParameters)
            : Answer(downcall, in place, Tee.Success, Tee.OriginTee);

    /// <summary>Adds the client's parameters to the message that was started, and hands it to whoever serves the session.</summary>
    private static Decision Send(
        ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, int session, in SharedPlace place,
        ref ArgumentCopy argument, int first, MessageCommand command)
    {
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF)];
        request.Begin(in place, command);
        request.Session = session;
        request.FirstParameter = first;
        ref Session target = ref state.Sessions[session];
        bool lends = target.Service >= 0 && services[target.Service].LentBuffers != 0;
        uint result = Parameters<TSystem>.Read(ref state, ref request, ref argument, lends);
        if (result != Tee.Success)
        {
            if (target.State == SessionState.Opening)
            {
                state.Sessions.Free(session);
            }

            return Refuse(ref state, downcall, in place, result);
        }

        request.Downcall = downcall;
        state.RequestCount++;
        target.InFlight++;
        if (target.Service < 0)
        {
            Pseudo<TSystem>.Serve(ref state, services, target.Service, command);
            return Complete(ref state, services, downcall, Status.Ok);
        }

        return Decision.Forward(downcall, in services[target.Service], place.Address + place.Bytes, command == MessageCommand.OpenSession ? 0 : target.Life, lends && Parameters<TSystem>.Lends);
    }

    private static ref ServiceMessage StartMessage(ref ProxyState state, int session, MessageLabel label)
    {
        TSystem.Message = default;
        TSystem.Message.Label = label;
        ref ServiceMessage message = ref MemoryMarshal.AsRef<ServiceMessage>(TSystem.Body);
        message = default;
        message.Session = state.Sessions.IdOf(session);
        message.Service = (uint)state.Sessions[session].Service;
        return ref message;
    }

    /// <summary>What the answer means for the session, and its id for Linux.</summary>
    private static void EndSession(ref ProxyState state, ref Request request, ref uint result, bool listens)
    {
        ref Session session = ref state.Sessions[request.Session];
        session.InFlight--;
        if (request.Command == MessageCommand.CloseSession)
        {
            // A service that died, or refuses to close, keeps nobody's session alive.
            result = Tee.Success;
        }
        else if (request.Command == MessageCommand.OpenSession)
        {
            if (result == Tee.Success && listens)
            {
                session.State = SessionState.Open;
                session.Life = TSystem.Message.Badge;
                uint id = state.Sessions.IdOf(request.Session);
                TSystem.CopyOut(request.Argument.Address + MessageArgument.SessionOffset, Bytes(ref id));
            }
            else
            {
                session.State = SessionState.Closing;
            }
        }

        if (session.State == SessionState.Closing && session.InFlight == 0)
        {
            state.Sessions.Free(request.Session);
        }
    }

    private const int NotFound = int.MinValue;

    private static int FindService(ReadOnlySpan<ServiceEntry> services, ulong low, ulong high)
    {
        if (low == Services.EnumerationLow && high == Services.EnumerationHigh)
        {
            return BuiltIn.Enumeration;
        }

        if (low == Services.StatisticsLow && high == Services.StatisticsHigh)
        {
            return BuiltIn.Statistics;
        }

        for (int i = 0; i < services.Length; i++)
        {
            if (services[i].UuidLow == low && services[i].UuidHigh == high)
            {
                return i;
            }
        }

        return NotFound;
    }

    private static Decision Refuse(ref ProxyState state, ulong downcall, in SharedPlace place, uint result)
    {
        state.Malformed++;
        return Answer(downcall, in place, result, Tee.OriginTee);
    }

    private static Decision Answer(ulong downcall, in SharedPlace place, uint result, uint origin)
    {
        ulong both = result | ((ulong)origin << 32);
        TSystem.CopyOut(place.Address + MessageArgument.ResultOffset, Bytes(ref both));
        return Decision.Finish(downcall, Tee.ReturnOk);
    }

    private static Span<byte> Bytes<T>(ref T value) where T : struct => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref value, 1));
}
