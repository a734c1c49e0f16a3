using System;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>Speaks to Linux's `optee` driver: one message in, one decision out; it never waits for a service or for Linux.</summary>
public static class Proxy<TSystem> where TSystem : struct, IProxySystem
{
    /// <summary>Serves for ever.</summary>
    public static void Run(ref ProxyState state, ReadOnlySpan<ServiceEntry> services)
    {
        Status status = TSystem.Receive();
        while (true)
        {
            Decision decision = status == Status.Ok ? Handle(ref state, services) : Decision.Receive;
            status = CarryOut(ref state, services, decision);
        }
    }

    /// <summary>Ends one message and waits for the next.</summary>
    public static Status CarryOut(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, Decision decision)
    {
        while (decision.Ending == Ending.Forward)
        {
            Status status = TSystem.ForwardReceive(decision.Slot, decision.RpcArgument, decision.Life, decision.Lends);
            if (decision.Life == 0 && status is Status.PeerDied or Status.Reclaimed && TSystem.Restart(decision.Component) == Status.Ok)
            {
                status = TSystem.ForwardReceive(decision.Slot, decision.RpcArgument, decision.Life, decision.Lends);
            }

            if (status == Status.Ok)
            {
                return status;
            }

            // The service that the session was opened with is gone, or cannot start: the client learns it now. Or it is FrameMint: the call goes on without it.
            decision = Calls<TSystem>.Complete(ref state, services, decision.Downcall, status is Status.Reclaimed or Status.NotPopulated ? status : Status.PeerDied);
        }

        return decision.Ending switch
        {
            Ending.Finish when Memory<TSystem>.TryFree(ref state, decision.Downcall, decision.X0) => TSystem.Receive(),
            Ending.Finish => Finish(decision),
            Ending.Reply => TSystem.ReplyReceive(),
            _ => TSystem.Receive(),
        };
    }

    public static Decision Handle(ref ProxyState state, ReadOnlySpan<ServiceEntry> services)
    {
        ref MessageHeader message = ref TSystem.Message;
        switch (message.Label)
        {
            case MessageLabel.Downcall:
                return Downcall(ref state, services, message.Downcall, (uint)message.Word0, message.Word1, message.Word2, message.Word3);
            case MessageLabel.Completion:
                return Calls<TSystem>.Complete(ref state, services, message.Downcall, message.Status);
            case MessageLabel.UpcallReturn:
                return Upcalls<TSystem>.Return(ref state, message.Downcall);
            case MessageLabel.Upcall:
                return Upcalls<TSystem>.Begin(ref state, message.Downcall);
            case MessageLabel.MemoryReturned:
                Memory<TSystem>.Collect(ref state);
                return Decision.Receive;
            case MessageLabel.MemoryWanted:
                state.Wishes = true;
                return Decision.Receive;
            case MessageLabel.WorldReset:
                Reset(ref state);
                return Decision.Receive;
            default:
                message.Label = MessageLabel.Reply;
                message.Length = 0;
                message.Status = Status.BadCall;
                return Decision.Reply;
        }
    }

    private static Decision Downcall(
        ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ulong downcall, uint function, ulong x1, ulong x2, ulong x3)
    {
        const uint SveHint = 1u << 16;
        ulong name = (x1 << 32) | (uint)x2;
        return (function & ~SveHint) switch
        {
            Tee.CallWithRegdArg => Calls<TSystem>.Begin(ref state, services, downcall, name, x3),
            Tee.CallWithRpcArg => SharedMemory<TSystem>.Serve(ref state, downcall, name),
            _ => Decision.Finish(downcall, Tee.ReturnBadCommand),
        };
    }

    /// <summary>The downcall may be gone when Linux was reset meanwhile: then there is nobody to answer.</summary>
    private static Status Finish(Decision decision)
    {
        Status status = TSystem.FinishReceive(decision.Downcall, decision.X0);
        return status == Status.Ok ? status : TSystem.Receive();
    }

    private static void Reset(ref ProxyState state)
    {
        Memory<TSystem>.GiveBack(ref state, SecureCallArguments.Everybody);
        for (int i = 0; i < RegistrationTable.Capacity; i++)
        {
            uint pages = state.Registrations[i].Pages;
            if (pages != 0)
            {
                _ = TSystem.ShareUnmap(RegistrationTable.WindowOf(i), pages);
            }
        }

        state.Reset();
    }
}
