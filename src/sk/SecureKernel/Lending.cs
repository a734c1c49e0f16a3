using System.Numerics;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Buffers that a downcall's caller has registered, in the service's address space for the length of that call (DESIGN 6: a shared view is declared).</summary>
/// <remarks>
/// XnuProxy says with <see cref="SecureCall.Forward"/> which pages of its window go along. They stay in its window as long as they are lent, so SPTM needs no second count.
/// The thread that takes the message has them in its own window from then until it answers, ends, or Linux has started anew.
/// </remarks>
public static class Lending<TMachine> where TMachine : struct, IMachine
{
    /// <summary>From here on, one invalidation of all of a component's translations is cheaper than one for each page.</summary>
    private const uint ManyPages = 16;
    private const int WordBits = 64;

    /// <summary>The downcall takes along what the message in XnuProxy's <paramref name="page"/> lends, in four words that SK reads once; or nothing.</summary>
    /// <returns><see cref="Status.BadArgument"/>: too many pages, or none. <see cref="Status.BadAddress"/>: not pages of the window. <see cref="Status.Denied"/>: nobody there takes any.</returns>
    public static Status TryAttach(ref KernelState kernel, int index, ulong page, in Component server)
    {
        ref AddressSpace window = ref kernel.Components[kernel.Proxy].Space;
        ref MessageHeader header = ref TMachine.At<MessageHeader>(page);
        LentRanges ranges = default;
        uint pages = 0;
        ranges[0] = new LentRange(header.Word0);
        ranges[1] = new LentRange(header.Word1);
        ranges[2] = new LentRange(header.Word2);
        ranges[3] = new LentRange(header.Word3);
        for (int i = 0; i < ServiceMessage.MaxParameters; i++)
        {
            LentRange range = ranges[i];
            if (range.IsNone)
            {
                ranges[i] = default;
                continue;
            }

            pages += range.Pages;
            if (pages > LentRange.MaxPages)
            {
                return Status.BadArgument;
            }

            if (!IsShared(ref window, range))
            {
                return Status.BadAddress;
            }
        }

        if (pages == 0)
        {
            return Status.BadArgument;
        }

        if (!server.TakesLent)
        {
            return Status.Denied;
        }

        ref Downcall call = ref kernel.Downcalls[index];
        call.Lent = ranges;
        call.LentPages = pages;
        call.LentTo = 0;
        kernel.Lending[index / WordBits] |= 1ul << (index % WordBits);
        return Status.Ok;
    }

    /// <summary>A thread has taken the message: it sees the pages, and the message says where.</summary>
    public static void Show(ref KernelState kernel, ref Downcall call, ref Thread server)
    {
        if (call.LentPages == 0 || server.LentTable == 0)
        {
            // What the sender wrote there is no more than its word; who receives for somebody else sees nothing.
            SetWords(server.IpcPage, default);
            return;
        }

        ref AddressSpace window = ref kernel.Components[kernel.Proxy].Space;
        LentRanges seen = default;
        ulong slot = server.LentTable;
        ulong address = UserLayout.LentWindowOf(server.Number);
        for (int i = 0; i < ServiceMessage.MaxParameters; i++)
        {
            LentRange range = call.Lent[i];
            if (range.IsNone)
            {
                continue;
            }

            seen[i] = range.At(address);
            PageAccess access = range.IsWritable ? PageAccess.ReadWrite : PageAccess.Read;
            ulong from = 0;
            for (ulong page = 0; page < range.Pages; page++, from += sizeof(ulong), slot += sizeof(ulong))
            {
                if ((from & (Limits.PageBytes - 1)) == 0)
                {
                    from = window.Descriptor<TMachine>(range.Address + (page * Limits.PageBytes));
                }

                TMachine.At<ulong>(slot) = new PageEntry(TMachine.At<ulong>(from)).With(access).Value;
            }

            address += range.Pages * Limits.PageBytes;
        }

        // The barrier of the last one is for all.
        slot -= sizeof(ulong);
        TMachine.WriteEntry(slot, TMachine.At<ulong>(slot));
        call.LentTo = server.Address;
        SetWords(server.IpcPage, in seen);
    }

    /// <summary>The service has answered, has ended, or nobody waits for it any more: nobody but XnuProxy reaches the pages.</summary>
    public static void End(ref KernelState kernel, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        uint pages = call.LentPages;
        call.LentPages = 0;
        kernel.Lending[index / WordBits] &= ~(1ul << (index % WordBits));
        if (call.LentTo == 0)
        {
            return;
        }

        ref Thread server = ref TMachine.At<Thread>(call.LentTo);
        call.LentTo = 0;
        for (uint i = 0; i < pages - 1; i++)
        {
            TMachine.At<ulong>(server.LentTable + (i * sizeof(ulong))) = 0;
        }

        TMachine.WriteEntry(server.LentTable + ((pages - 1) * sizeof(ulong)), 0);
        ulong space = kernel.Components[server.Component].Space.Id;
        if (pages >= ManyPages)
        {
            TMachine.InvalidateSpace(space);
            return;
        }

        for (uint i = 0; i < pages; i++)
        {
            TMachine.InvalidatePage(space, UserLayout.LentWindowOf(server.Number) + (i * Limits.PageBytes));
        }
    }

    /// <summary>Whether a call has some page of a range with it.</summary>
    public static bool IsLent(ref KernelState kernel, ulong address, ulong pages)
    {
        ulong end = address + (pages * Limits.PageBytes);
        for (int word = 0; word < Limits.Downcalls / WordBits; word++)
        {
            for (ulong left = kernel.Lending[word]; left != 0; left &= left - 1)
            {
                ref Downcall call = ref kernel.Downcalls[(word * WordBits) + BitOperations.TrailingZeroCount(left)];
                for (int i = 0; i < ServiceMessage.MaxParameters; i++)
                {
                    LentRange range = call.Lent[i];
                    if (!range.IsNone && range.Address < end && address < range.Address + (range.Pages * Limits.PageBytes))
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    /// <summary>Every page of it is one of Linux's that XnuProxy has in its window, where nobody else has anything of that kind.</summary>
    private static bool IsShared(ref AddressSpace window, LentRange range)
    {
        if (!AddressSpace.IsRange(range.Address, range.Pages))
        {
            return false;
        }

        ulong slot = 0;
        for (ulong page = 0; page < range.Pages; page++, slot += sizeof(ulong))
        {
            if ((slot & (Limits.PageBytes - 1)) == 0)
            {
                slot = window.Descriptor<TMachine>(range.Address + (page * Limits.PageBytes));
            }

            if (slot == 0 || new PageEntry(TMachine.At<ulong>(slot)).Source != PageSource.Shared)
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetWords(ulong page, in LentRanges ranges)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(page);
        header.Word0 = ranges[0].Value;
        header.Word1 = ranges[1].Value;
        header.Word2 = ranges[2].Value;
        header.Word3 = ranges[3].Value;
    }
}
