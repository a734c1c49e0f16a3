using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>What a system call leaves in x1..x6.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CallValues
{
    public ulong X1;
    public ulong X2;
    public ulong X3;
    public ulong X4;
    public ulong X5;
    public ulong X6;
}

/// <summary>The system calls of SK (Abi.SecureCall), one method each.</summary>
public static unsafe class SecureCalls
{
    public static Status Receive() => Call(0, 0, 0, 0, 0, SecureCall.Receive);

    /// <summary>At an endpoint that is not the component's own.</summary>
    public static Status ReceiveAt(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.Receive);

    public static Status ReplyReceive() => Call(0, 0, 0, 0, 0, SecureCall.ReplyReceive);

    public static Status Reply() => Call(0, 0, 0, 0, 0, SecureCall.Reply);

    public static Status CallEndpoint(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.Call);

    /// <summary>Without an answer: Ok as soon as the message is received.</summary>
    public static Status Send(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.Send);

    public static Status TryCallEndpoint(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.TryCall);

    public static Status ForwardReceive(uint slot, ulong rpcArgument, ulong generation, bool lends) =>
        Call(slot, rpcArgument, generation, lends ? 1ul : 0, 0, SecureCall.ForwardReceive);

    public static Status LendTime(ulong downcall) => Call(downcall, 0, 0, 0, 0, SecureCall.LendTime);

    public static Status Restart(ulong component) => Call(component, 0, 0, 0, 0, SecureCall.Restart);

    public static Status FinishReceive(ulong downcall, ulong x0) => Call(downcall, x0, 0, 0, 0, SecureCall.FinishReceive);

    public static Status Suspend(ulong downcall, ulong x0, ulong x1, ulong x2) => Call(downcall, x0, x1, x2, 0, SecureCall.Suspend);

    public static Status Donate(ulong address, ulong pages, ulong component) => Call(address, pages, component, 0, 0, SecureCall.Donate);

    public static Status ReturnDonated(ulong component) => Call(component, 0, 0, 0, 0, SecureCall.ReturnDonated);

    public static Status CollectDonated(out ulong address)
    {
        Status status = CallValued(0, 0, 0, 0, 0, SecureCall.CollectDonated, out CallValues values);
        address = status == Status.Ok ? values.X1 : 0;
        return status;
    }

    public static Status TakeWish(out ulong component, out ulong pages)
    {
        Status status = CallValued(0, 0, 0, 0, 0, SecureCall.TakeWish, out CallValues values);
        component = values.X1;
        pages = status == Status.Ok ? values.X2 : 0;
        return status;
    }

    public static Status LinuxRead(ulong linux, void* to, ulong bytes) => Call(linux, (ulong)to, bytes, 0, 0, SecureCall.LinuxRead);

    public static Status LinuxWrite(ulong linux, void* from, ulong bytes) => Call(linux, (ulong)from, bytes, 0, 0, SecureCall.LinuxWrite);

    public static Status ShareMap(void* entries, ulong count, ulong window) => Call((ulong)entries, count, window, 0, 0, SecureCall.ShareMap);

    public static Status ShareUnmap(ulong window, ulong pages) => Call(window, pages, 0, 0, 0, SecureCall.ShareUnmap);

    public static Status MapMemory(ulong address, ulong pages, MemoryAccess access) => Call(address, pages, (ulong)access, 0, 0, SecureCall.MapMemory);

    public static Status UnmapMemory(ulong address, ulong pages) => Call(address, pages, 0, 0, 0, SecureCall.UnmapMemory);

    public static Status MapDevice(uint slot, ulong address) => Call(slot, address, 0, 0, 0, SecureCall.MapDevice);

    public static Status PhysicalAddress(ulong address, out ulong physical)
    {
        Status status = CallValued(address, 0, 0, 0, 0, SecureCall.PhysicalAddress, out CallValues values);
        physical = status == Status.Ok ? values.X1 : 0;
        return status;
    }

    public const int MaxLogBytes = 256;

    /// <summary>One line of the console, at most <see cref="MaxLogBytes"/> bytes: for the time before Linux and for what must not get lost. Else <see cref="Runtime.Log"/>.</summary>
    public static Status Log(scoped ReadOnlySpan<byte> text)
    {
        fixed (byte* start = text)
        {
            return Call((ulong)start, (ulong)text.Length, 0, 0, 0, SecureCall.Log);
        }
    }

    public static Status Defer(uint reply) => Call(reply, 0, 0, 0, 0, SecureCall.Defer);

    public static Status ReplyDeferred(uint reply) => Call(reply, 0, 0, 0, 0, SecureCall.ReplyDeferred);

    public static Status Signal(uint notification) => Call(notification, 0, 0, 0, 0, SecureCall.Signal);

    public static Status Wait(uint notification, out ulong bits) => Take(notification, SecureCall.Wait, out bits);

    public static Status Poll(uint notification, out ulong bits) => Take(notification, SecureCall.Poll, out bits);

    /// <summary>The interrupt sets the bits of the notification's badge; for nothing at times.</summary>
    public static Status BindInterrupt(uint interrupt, uint notification) => Call(interrupt, notification, 0, 0, 0, SecureCall.BindInterrupt);

    /// <summary>Objects in slots that follow each other.</summary>
    /// <param name="sizeLog2">Of untyped memory; 0 for whatever has its own size.</param>
    public static Status Retype(uint untyped, ObjectKind kind, uint sizeLog2, uint first, uint count) =>
        Call(untyped, (ulong)kind, sizeLog2, first, count, SecureCall.Retype);

    public static Status Derive(uint empty, uint from, CapabilityRights rights, ulong badge) => Call(empty, from, (ulong)rights, badge, 0, SecureCall.Derive);

    public static Status Move(uint empty, uint from) => Call(empty, from, 0, 0, 0, SecureCall.Move);

    public static Status Revoke(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.Revoke);

    public static Status Delete(uint slot) => Call(slot, 0, 0, 0, 0, SecureCall.Delete);

    public static Status MapFrame(uint frame, ulong address, MemoryAccess access) => Call(frame, address, (ulong)access, 0, 0, SecureCall.MapFrame);

    public static Status UnmapFrame(uint frame) => Call(frame, 0, 0, 0, 0, SecureCall.UnmapFrame);

    public static Status MintKit(uint kit) => Call(kit, 0, 0, 0, 0, SecureCall.MintKit);

    /// <summary>Faults of the calling thread go to <paramref name="handler"/> from now on.</summary>
    public static Status SetPersonality(ulong handler, ulong stackPointer, ulong context) => Call(handler, stackPointer, context, 0, 0, SecureCall.SetPersonality);

    public static Status Counters(ulong* words, ulong count) => Call((ulong)words, count, 0, 0, 0, SecureCall.Counters);

    public static Status ComponentInfo(uint index, out CallValues values) => CallValued(index, 0, 0, 0, 0, SecureCall.ComponentInfo, out values);

    /// <summary>A thread of this component at <paramref name="pc"/>, on the stack that SK gives it.</summary>
    public static Status StartThread(ulong pc, ulong threadPointer, ulong argument, out uint number)
    {
        Status status = CallValued(pc, 0, threadPointer, argument, 0, SecureCall.StartThread, out CallValues values);
        number = status == Status.Ok ? (uint)values.X1 : 0;
        return status;
    }

    public static Status ExitThread() => Call(0, 0, 0, 0, 0, SecureCall.ExitThread);

    /// <param name="owner">1 + the number of the thread that is waited for; 0: unknown.</param>
    /// <param name="deadline">Ticks of the counter; 0: none.</param>
    public static Status WaitEpoch(ulong id, ulong epoch, uint owner, ulong deadline) => Call(id, epoch, owner, deadline, 0, SecureCall.WaitEpoch);

    public static Status WakeEpoch(ulong id, ulong epoch, EpochWake whom, uint thread) => Call(id, epoch, (ulong)whom, thread, 0, SecureCall.WakeEpoch);

    public static Status Kick(uint thread) => Call(thread, 0, 0, 0, 0, SecureCall.Kick);

    public static Status Barrier() => Call(0, 0, 0, 0, 0, SecureCall.Barrier);

    public static Status Yield() => Call(0, 0, 0, 0, 0, SecureCall.Yield);

    public static void Exit(ulong code) => _ = Call(code, 0, 0, 0, 0, SecureCall.Exit);

    private static Status Take(uint notification, SecureCall call, out ulong bits)
    {
        Status status = CallValued(notification, 0, 0, 0, 0, call, out CallValues values);
        bits = status == Status.Ok ? values.X1 : 0;
        return status;
    }

    [RuntimeImport("*", "runtime_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern Status Call(ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, SecureCall call);

    [RuntimeImport("*", "runtime_call_values")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern Status CallValued(ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, SecureCall call, out CallValues values);
}
