using System;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>What XnuProxy asks of SK, and its two ways of touching memory that is not its own.</summary>
/// <remarks>Shared memory is reached by copying alone: nothing that Linux can change is ever looked at twice (I7).</remarks>
public interface IProxySystem
{
    /// <summary>The IPC page.</summary>
    static abstract ref MessageHeader Message { get; }
    static abstract Span<byte> Body { get; }

    /// <summary>A private page, page aligned: where copies of Linux's unregistered memory land.</summary>
    static abstract Span<byte> Scratch { get; }

    static abstract Status Receive();
    static abstract Status ReplyReceive();

    /// <summary>The downcall being served lends its time.</summary>
    static abstract Status LendTime(ulong downcall);

    /// <param name="rpcArgument">Address in the window of what follows the call's argument.</param>
    /// <param name="generation">Of the component that is meant; 0 = whichever lives.</param>
    /// <param name="lends">The message's words are <see cref="LentRange"/>s.</param>
    static abstract Status ForwardReceive(uint slot, ulong rpcArgument, ulong generation, bool lends);
    static abstract Status FinishReceive(ulong downcall, ulong x0);
    static abstract Status Suspend(ulong downcall, ulong x0, ulong x1 = 0, ulong x2 = 0);

    /// <summary>Copies Linux's memory to the start of <see cref="Scratch"/>; never across a page.</summary>
    static abstract Status LinuxRead(ulong linux, int bytes);

    /// <summary>Copies the start of <see cref="Scratch"/> to Linux's argument page.</summary>
    static abstract Status LinuxWrite(ulong linux, int bytes);

    /// <summary>Shares the pages whose addresses lie in <see cref="Scratch"/> from <paramref name="entry"/> (index) on. All or nothing.</summary>
    static abstract Status ShareMap(int entry, int count, ulong window);
    static abstract Status ShareUnmap(ulong window, ulong pages);

    /// <summary>SecureCall.Donate, ReturnDonated, CollectDonated and TakeWish.</summary>
    static abstract Status Donate(ulong address, ulong pages, ulong component);
    static abstract Status ReturnDonated(ulong component);
    static abstract Status CollectDonated(out ulong address);
    static abstract Status TakeWish(out ulong component, out ulong pages);

    static abstract void CopyIn(scoped Span<byte> to, ulong shared);
    static abstract void CopyOut(ulong shared, scoped ReadOnlySpan<byte> from);

    /// <summary>A component that has ended is declared anew.</summary>
    static abstract Status Restart(uint component);

    static abstract Status Counters(scoped Span<ulong> words);
    static abstract Status Component(uint index, out ComponentStatus status);
}
