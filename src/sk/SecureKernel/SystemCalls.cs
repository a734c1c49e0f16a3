using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>`svc #1`: finds the call, checks what it names, carries it out.</summary>
/// <remarks>A call that takes long does a chunk, moves its own arguments forward and is executed again by EL0, where interrupts are open.</remarks>
public static class SystemCalls<TMachine> where TMachine : struct, IMachine
{
    private const ulong SvcBytes = 4;

    public static Step Invoke(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        ref UserContext context = ref caller.Context;
        bool complete;
        Status status;
        switch ((SecureCall)context.X[8])
        {
            case SecureCall.Receive:
                return MessageCalls<TMachine>.Receive(ref kernel, ref cpu, ref caller, context.X[0]);
            case SecureCall.ReplyReceive:
                return MessageCalls<TMachine>.ReplyReceive(ref kernel, ref cpu, ref caller);
            case SecureCall.Reply:
                return MessageCalls<TMachine>.ReplyOnly(ref kernel, ref cpu, ref caller);
            case SecureCall.Call:
                return MessageCalls<TMachine>.Call(ref kernel, ref cpu, ref caller, mayWait: true);
            case SecureCall.TryCall:
                return MessageCalls<TMachine>.Call(ref kernel, ref cpu, ref caller, mayWait: false);
            case SecureCall.Send:
                return MessageCalls<TMachine>.Send(ref kernel, ref cpu, ref caller);
            case SecureCall.Defer:
                return Answer(ref kernel, ref caller, MessageCalls<TMachine>.Defer(ref kernel, ref caller));
            case SecureCall.ReplyDeferred:
                return MessageCalls<TMachine>.ReplyDeferred(ref kernel, ref cpu, ref caller);
            case SecureCall.Signal:
                return Answer(ref kernel, ref caller, NotificationCalls<TMachine>.Signal(ref kernel, ref caller));
            case SecureCall.Wait:
                return NotificationCalls<TMachine>.Wait(ref kernel, ref cpu, ref caller);
            case SecureCall.Poll:
                return Answer(ref kernel, ref caller, NotificationCalls<TMachine>.Poll(ref kernel, ref caller));
            case SecureCall.BindInterrupt:
                return Answer(ref kernel, ref caller, InterruptCalls<TMachine>.Bind(ref kernel, ref caller));
            case SecureCall.MintKit:
                return Answer(ref kernel, ref caller, KitCalls<TMachine>.Mint(ref kernel, ref caller));
            case SecureCall.Forward:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Forward(ref kernel, ref caller));
            case SecureCall.ForwardReceive:
                status = DowncallCalls<TMachine>.Forward(ref kernel, ref caller);
                return status == Status.Ok ? MessageCalls<TMachine>.Receive(ref kernel, ref cpu, ref caller, 0) : Answer(ref kernel, ref caller, status);
            case SecureCall.Finish:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Finish(ref kernel, ref caller));
            case SecureCall.FinishReceive:
                status = DowncallCalls<TMachine>.Finish(ref kernel, ref caller);
                return status == Status.Ok ? MessageCalls<TMachine>.Receive(ref kernel, ref cpu, ref caller, 0) : Answer(ref kernel, ref caller, status);
            case SecureCall.LendTime:
                return Answer(ref kernel, ref caller, Background<TMachine>.Lend(ref kernel, ref caller));
            case SecureCall.Suspend:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Suspend(ref kernel, ref caller));
            case SecureCall.LinuxRead:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Copy(ref kernel, ref caller, toLinux: false));
            case SecureCall.LinuxWrite:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Copy(ref kernel, ref caller, toLinux: true));
            case SecureCall.ShareMap:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.ShareMap(ref kernel, ref caller));
            case SecureCall.ShareUnmap:
                status = DowncallCalls<TMachine>.ShareUnmap(ref kernel, ref caller, out ulong unshared);
                return Chunk(ref kernel, ref caller, status, unshared);
            case SecureCall.Donate:
                status = DonationCalls<TMachine>.Donate(ref kernel, ref caller, out ulong given);
                return Chunk(ref kernel, ref caller, status, given);
            case SecureCall.ReturnDonated:
                status = DonationCalls<TMachine>.Return(ref kernel, ref caller, out complete);
                return Until(ref kernel, ref caller, status, complete);
            case SecureCall.CollectDonated:
                return Answer(ref kernel, ref caller, DonationCalls<TMachine>.Collect(ref kernel, ref caller));
            case SecureCall.TakeWish:
                return Answer(ref kernel, ref caller, DonationCalls<TMachine>.TakeWish(ref kernel, ref caller));
            case SecureCall.MapMemory:
                status = MemoryCalls<TMachine>.Map(ref kernel, ref caller, out ulong mapped);
                return Chunk(ref kernel, ref caller, status, mapped);
            case SecureCall.UnmapMemory:
                status = MemoryCalls<TMachine>.Unmap(ref kernel, ref caller, out ulong unmapped);
                return Chunk(ref kernel, ref caller, status, unmapped);
            case SecureCall.ProtectMemory:
                status = MemoryCalls<TMachine>.Protect(ref kernel, ref caller, out ulong changed);
                return Chunk(ref kernel, ref caller, status, changed);
            case SecureCall.MapDevice:
                return Answer(ref kernel, ref caller, MemoryCalls<TMachine>.MapDevice(ref kernel, ref caller));
            case SecureCall.PhysicalAddress:
                return Answer(ref kernel, ref caller, MemoryCalls<TMachine>.PhysicalAddress(ref kernel, ref caller));
            case SecureCall.MapFrame:
                return Answer(ref kernel, ref caller, FrameCalls<TMachine>.Map(ref kernel, ref caller));
            case SecureCall.UnmapFrame:
                return Answer(ref kernel, ref caller, FrameCalls<TMachine>.Unmap(ref kernel, ref caller));
            case SecureCall.Retype:
                status = ObjectCalls<TMachine>.Retype(ref kernel, ref caller, out complete);
                return Until(ref kernel, ref caller, status, complete);
            case SecureCall.Derive:
                return Answer(ref kernel, ref caller, ObjectCalls<TMachine>.Derive(ref kernel, ref caller));
            case SecureCall.Move:
                return Answer(ref kernel, ref caller, ObjectCalls<TMachine>.Move(ref kernel, ref caller));
            case SecureCall.Revoke:
                status = ObjectCalls<TMachine>.Revoke(ref kernel, ref caller, out complete);
                return Until(ref kernel, ref caller, status, complete);
            case SecureCall.Delete:
                status = ObjectCalls<TMachine>.Delete(ref kernel, ref caller, out complete);
                return Until(ref kernel, ref caller, status, complete);
            case SecureCall.Restart:
                status = Lifecycle<TMachine>.Restart(ref kernel, ref caller, out complete);
                return Until(ref kernel, ref caller, status, complete);
            case SecureCall.StartThread:
                return Answer(ref kernel, ref caller, ThreadCalls<TMachine>.Start(ref kernel, ref caller));
            case SecureCall.ExitThread:
                return ThreadCalls<TMachine>.Exit(ref kernel, ref cpu, ref caller);
            case SecureCall.Kick:
                return Answer(ref kernel, ref caller, ThreadCalls<TMachine>.Kick(ref kernel, ref caller));
            case SecureCall.Barrier:
                return ThreadCalls<TMachine>.Barrier(ref kernel, ref caller);
            case SecureCall.WaitEpoch:
                return EpochCalls<TMachine>.Wait(ref kernel, ref cpu, ref caller);
            case SecureCall.WakeEpoch:
                return EpochCalls<TMachine>.Wake(ref kernel, ref cpu, ref caller);
            case SecureCall.SetPersonality:
                return Answer(ref kernel, ref caller, SetPersonality(ref kernel, ref caller));
            case SecureCall.ResumeContext:
                return ResumeContext(ref kernel, ref caller);
            case SecureCall.Log:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Log(ref kernel, ref caller));
            case SecureCall.Counters:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Counters(ref kernel, ref caller));
            case SecureCall.ComponentInfo:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Component(ref kernel, ref caller));
            case SecureCall.Exit:
                Exceptions<TMachine>.Exit(ref kernel, ref caller);
                return Step.Again;
            case SecureCall.Yield:
                context.X[0] = (ulong)Status.Ok;
                return Yield(ref kernel, ref cpu, ref caller);
            default:
                return Answer(ref kernel, ref caller, Status.BadCall);
        }
    }

    /// <summary>The thread stands back as if an interrupt had come; or for a sibling, if they take turns and one can run.</summary>
    public static Step Yield(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        bool passes = cpu.Booting || Dispatcher<TMachine>.HasReadySibling(ref kernel, ref caller);
        Dispatcher<TMachine>.StandBack(ref kernel, ref caller);
        return passes ? Dispatcher<TMachine>.Next(ref kernel, ref cpu) : Dispatcher<TMachine>.LeaveForInterrupt(ref kernel, ref cpu);
    }

    /// <summary>The thread goes on with a status.</summary>
    public static Step Answer(ref KernelState kernel, ref Thread caller, Status status)
    {
        if (status is Status.BadCall or Status.BadArgument or Status.BadAddress or Status.BadCapability or Status.Denied or Status.BadState or Status.NotFound)
        {
            kernel.Counters[(int)SkCounter.RefusedCalls]++;
        }

        caller.Context.X[0] = (ulong)status;
        return Step.Run;
    }

    /// <summary>Ends a call that works in chunks, or moves x0 (address) and x1 (pages) on and has EL0 execute it again.</summary>
    private static Step Chunk(ref KernelState kernel, ref Thread caller, Status status, ulong pagesDone)
    {
        ref UserContext context = ref caller.Context;
        if (status != Status.Ok || pagesDone >= context.X[1])
        {
            return Answer(ref kernel, ref caller, status);
        }

        context.X[0] += pagesDone * Limits.PageBytes;
        context.X[1] -= pagesDone;
        context.ProgramCounter -= SvcBytes;
        return Step.Run;
    }

    /// <summary>Ends a call that is complete, or has EL0 execute it again as it is.</summary>
    private static Step Until(ref KernelState kernel, ref Thread caller, Status status, bool complete)
    {
        if (status != Status.Ok || complete)
        {
            return Answer(ref kernel, ref caller, status);
        }

        caller.Context.ProgramCounter -= SvcBytes;
        return Step.Run;
    }

    private static Status SetPersonality(ref KernelState kernel, ref Thread caller)
    {
        ref UserContext context = ref caller.Context;
        ulong page = context.X[2];
        if ((page & (Limits.PageBytes - 1)) != 0 || (context.X[1] & 15) != 0 || (context.X[0] & 3) != 0 || context.X[0] == 0)
        {
            return Status.BadArgument;
        }

        if (kernel.Components[caller.Component].Space.Translate<TMachine>(page, write: true) == 0)
        {
            return Status.BadAddress;
        }

        caller.Personality.Handler = context.X[0];
        caller.Personality.StackPointer = context.X[1];
        caller.Personality.Context = page;
        return Status.Ok;
    }

    private static Step ResumeContext(ref KernelState kernel, ref Thread caller)
    {
        Status status = caller.Personality.Handler == 0
            ? Status.BadState
            : Exceptions<TMachine>.TakeContext(ref kernel, ref caller, caller.Context.X[0]);
        return status != Status.Ok ? Answer(ref kernel, ref caller, status)
            : caller.Kicked ? Exceptions<TMachine>.ReflectOrEnd(ref kernel, ref caller, ReflectReason.Tick)
            : Step.Run;
    }
}
