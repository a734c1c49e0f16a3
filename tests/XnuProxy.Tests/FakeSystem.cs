using System;
using Exclaves.Abi;

namespace Exclaves.XnuProxy.Tests;

/// <summary>SK as a <see cref="World"/> plays it, one world per test thread.</summary>
public readonly struct FakeSystem : IProxySystem
{
    [ThreadStatic]
    private static World? _world;

    public static World World { get => _world!; set => _world = value; }

    public static ref MessageHeader Message => ref World.Message;
    public static Span<byte> Body => World.Body;
    public static Span<byte> Scratch => World.Scratch;

    public static Status Receive() => World.End(Ending.Receive);

    public static Status ReplyReceive() => World.End(Ending.Reply);

    public static Status ForwardReceive(uint slot, ulong rpcArgument, ulong generation, bool lends) =>
        World.ForwardAnswer != Status.Ok && (World.RefusedSlot ?? slot) == slot ? World.ForwardAnswer
        : World.IsServiceDead || (generation != 0 && generation != World.Life) ? Status.PeerDied : World.End(Ending.Forward);

    public static Status LendTime(ulong downcall) => World.LendTime(downcall);

    public static Status Restart(uint component) => World.Restart(component);

    public static Status FinishReceive(ulong downcall, ulong x0) => World.End(Ending.Finish);

    public static Status Suspend(ulong downcall, ulong x0, ulong x1 = 0, ulong x2 = 0) => World.Suspend(downcall, x0, x1, x2);

    public static Status Donate(ulong address, ulong pages, ulong component) => World.Donate(address, pages, component);

    public static Status ReturnDonated(ulong component) => World.ReturnDonated(component);

    public static Status TakeWish(out ulong component, out ulong pages) => World.TakeWish(out component, out pages);

    public static Status CollectDonated(out ulong address) => World.CollectDonated(out address);

    public static Status LinuxRead(ulong linux, int bytes) => World.LinuxRead(linux, bytes);

    public static Status LinuxWrite(ulong linux, int bytes) => World.LinuxWrite(linux, bytes);

    public static Status ShareMap(int entry, int count, ulong window) => World.ShareMap(entry, count, window);

    public static Status ShareUnmap(ulong window, ulong pages) => World.ShareUnmap(window, pages);

    public static void CopyIn(scoped Span<byte> to, ulong shared) => World.CopyIn(to, shared);

    public static void CopyOut(ulong shared, scoped ReadOnlySpan<byte> from) => World.CopyOut(shared, from);

    public static Status Counters(scoped Span<ulong> words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = 1000 + (ulong)i;
        }

        return Status.Ok;
    }

    public static Status Component(uint index, out ComponentStatus status)
    {
        // As SK does: the name comes through the start of the body.
        World.Body[..64].Fill(0x5A);
        status = new ComponentStatus { UntypedBase = 0x8000_0000 + index, UntypedBytes = 0x10_0000, UsedBytes = 0x1000 * (index + 1), DonatedBytes = 0x2000, Generation = 7, State = ComponentState.Running };
        "Component"u8.CopyTo(status.Name);
        status.Flags = index == 0 ? ComponentFlags.Core : ComponentFlags.None;
        return index < 4 ? Status.Ok : Status.NotFound;
    }
}
