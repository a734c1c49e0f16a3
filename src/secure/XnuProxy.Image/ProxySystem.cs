using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.XnuProxy.Image;

/// <summary>SK itself, through the Runtime's calls.</summary>
internal readonly unsafe struct ProxySystem : IProxySystem
{
    public const ulong ScratchBase = UserLayout.PrivateBase;

    public static ref MessageHeader Message => ref IpcPage.Only.Header;
    public static Span<byte> Body => IpcPage.Only.Body;

    // SAFETY: Program maps the page before anything else runs.
    public static Span<byte> Scratch => new((void*)ScratchBase, (int)UserLayout.PageBytes);

    public static Status Receive() => SecureCalls.Receive();

    public static Status ReplyReceive() => SecureCalls.ReplyReceive();

    public static Status ForwardReceive(uint slot, ulong rpcArgument, ulong generation, bool lends) =>
        SecureCalls.ForwardReceive(slot, rpcArgument, generation, lends);

    public static Status LendTime(ulong downcall) => SecureCalls.LendTime(downcall);

    public static Status Restart(uint component) => SecureCalls.Restart(component);

    public static Status FinishReceive(ulong downcall, ulong x0) => SecureCalls.FinishReceive(downcall, x0);

    public static Status Suspend(ulong downcall, ulong x0, ulong x1 = 0, ulong x2 = 0) => SecureCalls.Suspend(downcall, x0, x1, x2);

    public static Status LinuxRead(ulong linux, int bytes) => SecureCalls.LinuxRead(linux, (void*)ScratchBase, (ulong)bytes);

    public static Status LinuxWrite(ulong linux, int bytes) => SecureCalls.LinuxWrite(linux, (void*)ScratchBase, (ulong)bytes);

    public static Status ShareMap(int entry, int count, ulong window) =>
        SecureCalls.ShareMap((ulong*)ScratchBase + entry, (ulong)count, window);

    public static Status ShareUnmap(ulong window, ulong pages) => SecureCalls.ShareUnmap(window, pages);

    public static Status Donate(ulong address, ulong pages, ulong component) => SecureCalls.Donate(address, pages, component);

    public static Status ReturnDonated(ulong component) => SecureCalls.ReturnDonated(component);

    public static Status TakeWish(out ulong component, out ulong pages) => SecureCalls.TakeWish(out component, out pages);

    public static Status CollectDonated(out ulong address) => SecureCalls.CollectDonated(out address);

    public static void CopyIn(scoped Span<byte> to, ulong shared)
    {
        // SAFETY: SharedMemory.TryPlace has checked that the range is mapped in the window; the copy is what makes it private.
        new ReadOnlySpan<byte>((void*)shared, to.Length).CopyTo(to);
    }

    public static void CopyOut(ulong shared, scoped ReadOnlySpan<byte> from)
    {
        // SAFETY: as CopyIn.
        from.CopyTo(new Span<byte>((void*)shared, from.Length));
    }

    public static Status Counters(scoped Span<ulong> words)
    {
        // Through the scratch page: SK wants the words within one page.
        Status status = SecureCalls.Counters((ulong*)ScratchBase, (ulong)words.Length);
        MemoryMarshal.Cast<byte, ulong>(Scratch)[..words.Length].CopyTo(words);
        return status;
    }

    public static Status Component(uint index, out ComponentStatus answer)
    {
        answer = default;
        Status status = SecureCalls.ComponentInfo(index, out CallValues values);
        if (status == Status.Ok)
        {
            answer.Name = MemoryMarshal.Read<Name64>(Body);
            answer.UntypedBase = values.X1;
            answer.UntypedBytes = values.X2;
            answer.UsedBytes = values.X3;
            answer.State = (ComponentState)(values.X4 & 0xFF);
            answer.Flags = (ComponentFlags)(values.X4 >> 8 & 0xFF);
            answer.Generation = (uint)(values.X4 >> 32);
            answer.DonatedBase = values.X5;
            answer.DonatedBytes = values.X6;
        }

        return status;
    }
}
