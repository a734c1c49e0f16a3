using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>`svc #1`: finds the call, checks what it names, carries it out.</summary>
/// <remarks>A call that takes long does a chunk, moves its own arguments forward and is executed again by EL0, where interrupts are open.</remarks>
public static class SystemCalls<TMachine> where TMachine : struct, IMachine
{
    private const ulong SvcBytes = 4;

    public static Step Invoke(ref KernelState kernel, ref Cpu cpu, ref Component caller)
    {
        ref UserContext context = ref caller.Context;
        switch ((SecureCall)context.X[8])
        {
            case SecureCall.Receive:
                return Receive(ref kernel, ref cpu, ref caller);
            case SecureCall.ReplyReceive:
                Status replied = Reply(ref kernel, ref caller);
                return replied == Status.Ok ? Receive(ref kernel, ref cpu, ref caller) : Answer(ref kernel, ref caller, replied);
            case SecureCall.Reply:
                return ReplyOnly(ref kernel, ref cpu, ref caller);
            case SecureCall.Call:
                return Call(ref kernel, ref cpu, ref caller, mayWait: true);
            case SecureCall.TryCall:
                return Call(ref kernel, ref cpu, ref caller, mayWait: false);
            case SecureCall.Forward:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Forward(ref kernel, ref caller));
            case SecureCall.ForwardReceive:
                Status forwarded = DowncallCalls<TMachine>.Forward(ref kernel, ref caller);
                return forwarded == Status.Ok ? Receive(ref kernel, ref cpu, ref caller) : Answer(ref kernel, ref caller, forwarded);
            case SecureCall.Finish:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Finish(ref kernel, ref caller));
            case SecureCall.FinishReceive:
                Status finished = DowncallCalls<TMachine>.Finish(ref kernel, ref caller);
                return finished == Status.Ok ? Receive(ref kernel, ref cpu, ref caller) : Answer(ref kernel, ref caller, finished);
            case SecureCall.Suspend:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Suspend(ref kernel, ref caller));
            case SecureCall.LinuxRead:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Copy(ref kernel, ref caller, toLinux: false));
            case SecureCall.LinuxWrite:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.Copy(ref kernel, ref caller, toLinux: true));
            case SecureCall.ShareMap:
                return Answer(ref kernel, ref caller, DowncallCalls<TMachine>.ShareMap(ref kernel, ref caller));
            case SecureCall.ShareUnmap:
                return Chunk(ref kernel, ref caller, DowncallCalls<TMachine>.ShareUnmap(ref kernel, ref caller, out ulong unshared), unshared);
            case SecureCall.Donate:
                return Chunk(ref kernel, ref caller, DonationCalls<TMachine>.Donate(ref kernel, ref caller, out ulong given), given);
            case SecureCall.ReturnDonated:
                return Until(ref kernel, ref caller, DonationCalls<TMachine>.Return(ref kernel, ref caller, out bool complete), complete);
            case SecureCall.CollectDonated:
                return Answer(ref kernel, ref caller, DonationCalls<TMachine>.Collect(ref kernel, ref caller));
            case SecureCall.MapMemory:
                return Chunk(ref kernel, ref caller, MemoryCalls<TMachine>.Map(ref kernel, ref caller, out ulong mapped), mapped);
            case SecureCall.UnmapMemory:
                return Chunk(ref kernel, ref caller, MemoryCalls<TMachine>.Unmap(ref kernel, ref caller, out ulong unmapped), unmapped);
            case SecureCall.ProtectMemory:
                return Chunk(ref kernel, ref caller, MemoryCalls<TMachine>.Protect(ref caller, out ulong changed), changed);
            case SecureCall.MapDevice:
                return Answer(ref kernel, ref caller, MemoryCalls<TMachine>.MapDevice(ref caller));
            case SecureCall.PhysicalAddress:
                return Answer(ref kernel, ref caller, MemoryCalls<TMachine>.PhysicalAddress(ref caller));
            case SecureCall.SetPersonality:
                return Answer(ref kernel, ref caller, SetPersonality(ref caller));
            case SecureCall.ResumeContext:
                return ResumeContext(ref kernel, ref caller);
            case SecureCall.Log:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Log(ref kernel, ref caller));
            case SecureCall.Counters:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Counters(ref kernel, ref caller));
            case SecureCall.ComponentInfo:
                return Answer(ref kernel, ref caller, InformationCalls<TMachine>.Component(ref kernel, ref caller));
            case SecureCall.Exit:
                Lifecycle<TMachine>.End(ref kernel, ref caller, "exit"u8);
                return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
            case SecureCall.Yield:
                context.X[0] = (ulong)Status.Ok;
                return Yield(ref kernel, ref cpu, ref caller);
            default:
                return Answer(ref kernel, ref caller, Status.BadCall);
        }
    }

    /// <summary>The thread stands back as if an interrupt had come.</summary>
    public static Step Yield(ref KernelState kernel, ref Cpu cpu, ref Component caller)
    {
        caller.Thread = ThreadState.Ready;
        caller.Interrupted = true;
        return cpu.Booting ? Dispatcher<TMachine>.Next(ref kernel, ref cpu) : Dispatcher<TMachine>.LeaveForInterrupt(ref kernel, ref cpu);
    }

    private static Step Answer(ref KernelState kernel, ref Component caller, Status status)
    {
        if (status is Status.BadCall or Status.BadArgument or Status.BadAddress or Status.BadCapability or Status.Denied or Status.BadState or Status.NotFound)
        {
            kernel.Counters[(int)SkCounter.RefusedCalls]++;
        }

        caller.Context.X[0] = (ulong)status;
        return Step.Run;
    }

    /// <summary>Ends a call that works in chunks, or moves x0 (address) and x1 (pages) on and has EL0 execute it again.</summary>
    private static Step Chunk(ref KernelState kernel, ref Component caller, Status status, ulong pagesDone)
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
    private static Step Until(ref KernelState kernel, ref Component caller, Status status, bool complete)
    {
        if (status != Status.Ok || complete)
        {
            return Answer(ref kernel, ref caller, status);
        }

        caller.Context.ProgramCounter -= SvcBytes;
        return Step.Run;
    }

    private static Step Receive(ref KernelState kernel, ref Cpu cpu, ref Component caller)
    {
        if (caller.Serving is ServingKind.Downcall or ServingKind.Thread or ServingKind.UpcallReturn)
        {
            return Answer(ref kernel, ref caller, Status.BadState);
        }

        caller.Serving = ServingKind.Nobody;
        bool delivered = Messages<TMachine>.TryDeliver(ref kernel, ref caller);
        caller.Thread = delivered ? ThreadState.Ready : ThreadState.Receiving;
        caller.Context.X[0] = (ulong)Status.Ok;
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    private static Step ReplyOnly(ref KernelState kernel, ref Cpu cpu, ref Component caller)
    {
        Status status = Reply(ref kernel, ref caller);
        caller.Context.X[0] = (ulong)status;
        if (status != Status.Ok)
        {
            return Step.Run;
        }

        caller.Thread = ThreadState.Ready;
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    private static Status Reply(ref KernelState kernel, ref Component server)
    {
        ServingKind serving = server.Serving;
        if (serving == ServingKind.Nobody || (serving == ServingKind.Downcall && server.IsProxy))
        {
            return Status.BadState;
        }

        if (Messages<TMachine>.BytesOf(server.IpcPage) == 0)
        {
            return Status.BadArgument;
        }

        server.Serving = ServingKind.Nobody;
        int index = server.ServingIndex;
        switch (serving)
        {
            case ServingKind.Downcall:
                Messages<TMachine>.Complete(ref kernel, index, server.IpcPage, Status.Ok);
                break;
            case ServingKind.Thread:
                Messages<TMachine>.Answer(ref kernel.Components[index], server.IpcPage, Status.Ok);
                break;
            case ServingKind.UpcallReturn:
                Messages<TMachine>.EndUpcall(ref kernel, index, server.IpcPage);
                break;
            default:
                break;
        }

        return Status.Ok;
    }

    private static Step Call(ref KernelState kernel, ref Cpu cpu, ref Component caller, bool mayWait)
    {
        Status status = caller.Capabilities.Decode(caller.Context.X[0], CapabilityKind.Endpoint, CapabilityRights.Send, out Capability capability);
        if (status != Status.Ok)
        {
            return Answer(ref kernel, ref caller, status);
        }

        if (Messages<TMachine>.BytesOf(caller.IpcPage) == 0 || Messages<TMachine>.IsKernelLabel(caller.IpcPage))
        {
            return Answer(ref kernel, ref caller, Status.BadArgument);
        }

        ref Component server = ref kernel.Components[(int)capability.Object];
        if (server.Life == ComponentState.Dead || server.Generation != capability.Generation)
        {
            return Answer(ref kernel, ref caller, Lifecycle<TMachine>.EndOf(in server));
        }

        if (!mayWait && server.Thread != ThreadState.Receiving)
        {
            return Answer(ref kernel, ref caller, Status.Busy);
        }

        if (WouldWaitForItself(ref kernel, (int)caller.Index, (int)server.Index))
        {
            return Answer(ref kernel, ref caller, Status.Deadlock);
        }

        Messages<TMachine>.Call(ref kernel, ref caller, ref server, caller.Capabilities.Badge(capability));
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>Whether the server, or whoever it waits for, waits for the caller.</summary>
    private static bool WouldWaitForItself(ref KernelState kernel, int caller, int server)
    {
        int at = server;
        for (int depth = 0; depth < Limits.Components; depth++)
        {
            if (at == caller)
            {
                return true;
            }

            ref Component component = ref kernel.Components[at];
            if (component.Thread != ThreadState.Waiting)
            {
                return false;
            }

            at = component.WaitingFor;
        }

        return true;
    }

    private static Status SetPersonality(ref Component caller)
    {
        ref UserContext context = ref caller.Context;
        ulong page = context.X[2];
        if ((page & (Limits.PageBytes - 1)) != 0 || (context.X[1] & 15) != 0 || (context.X[0] & 3) != 0 || context.X[0] == 0)
        {
            return Status.BadArgument;
        }

        if (caller.Space.Translate<TMachine>(page, write: true) == 0)
        {
            return Status.BadAddress;
        }

        caller.Personality.Handler = context.X[0];
        caller.Personality.StackPointer = context.X[1];
        caller.Personality.Context = page;
        return Status.Ok;
    }

    private static Step ResumeContext(ref KernelState kernel, ref Component caller)
    {
        Status status = caller.Personality.Handler == 0
            ? Status.BadState
            : Exceptions<TMachine>.TakeContext(ref caller, caller.Context.X[0]);
        return status == Status.Ok ? Step.Run : Answer(ref kernel, ref caller, status);
    }
}
