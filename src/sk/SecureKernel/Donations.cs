using System;
using System.Numerics;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Memory that Linux gives to a component and can take back (DESIGN 4; reference: memory upcall).</summary>
/// <remarks>
/// A donated frame holds a component's data and nothing else: tables, stacks and messages stay in the carve-out, so that what Linux takes back ends that
/// component alone. Everything here is called with SK's lock, and SPTM takes no frame back behind SK: it asks first (<see cref="TryReclaim"/>).
/// </remarks>
public static class Donations<TMachine> where TMachine : struct, IMachine
{
    private const int WordBits = 64;

    /// <summary>End of SK's direct map (entry.S).</summary>
    private const ulong ReachableEnd = 9ul << 30;

    /// <summary>Takes over the next chunk of a run.</summary>
    /// <returns>As <see cref="SecureCall.Donate"/> says.</returns>
    public static Status Give(ref KernelState kernel, ulong address, ulong pages, ulong owner, out ulong done)
    {
        done = 0;
        int index = FindFilling(ref kernel, address, pages, owner);
        if (index < 0)
        {
            Status status = Begin(ref kernel, address, pages, owner, out index);
            if (status != Status.Ok)
            {
                return status;
            }
        }

        ref DonatedRun run = ref kernel.Runs[index];
        for (uint i = 0; i < Limits.RetypePages && run.Given < run.Pages; i++)
        {
            if (!TMachine.Retype(run.Base + (run.Given * Limits.PageBytes), FrameType.XnuDefault, FrameType.SkDonated))
            {
                return Refused(ref kernel, ref run);
            }

            run.Given++;
            done++;
        }

        if (run.Given == run.Pages)
        {
            run.State = RunState.Held;
            ref Component component = ref kernel.Components[run.Owner];
            component.DonatedFree += run.Pages;
            component.DonatedPages += run.Pages;
            Tell(in component);
        }

        return Status.Ok;
    }

    /// <summary>A frame for <paramref name="component"/>'s data, zeroed; 0 when it has no donated memory left.</summary>
    public static ulong Allocate(ref KernelState kernel, ref Component component)
    {
        for (int i = 0; component.DonatedFree != 0 && i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State != RunState.Held || run.Owner != (int)component.Index || run.Used == run.Pages)
            {
                continue;
            }

            int word = 0;
            while (run.Bits[word] == ulong.MaxValue)
            {
                word++;
            }

            int bit = BitOperations.TrailingZeroCount(~run.Bits[word]);
            run.Bits[word] |= 1ul << bit;
            run.Used++;
            component.DonatedFree--;
            return run.Base + ((ulong)((word * WordBits) + bit) * Limits.PageBytes);
        }

        return 0;
    }

    /// <summary>Takes a frame back that its owner has used, and scrubs it. False: it is not a donated one.</summary>
    public static bool TryRelease(ref KernelState kernel, ref Component component, ulong frame)
    {
        int index = Find(ref kernel, frame);
        if (index < 0)
        {
            return false;
        }

        TMachine.Clear(frame);
        ref DonatedRun run = ref kernel.Runs[index];
        ulong number = (frame - run.Base) / Limits.PageBytes;
        run.Bits[(int)(number / WordBits)] &= ~(1ul << (int)(number % WordBits));
        run.Used--;
        component.DonatedFree++;
        if (run.Used == 0 && run.State == RunState.Held && component.DonatedFree + component.Memory.FreeFrames >= Limits.HighPages + run.Pages)
        {
            component.DonatedFree -= run.Pages;
            Leave(ref kernel, ref run);
        }

        return true;
    }

    /// <summary>A component is short of memory, and may have more: XnuProxy learns that there are wishes, and takes them when it can (<see cref="TakeWish"/>).</summary>
    /// <param name="needed">Pages that it should have free.</param>
    public static void Wish(ref KernelState kernel, ref Component component, ulong needed)
    {
        ulong free = component.DonatedFree + component.Memory.FreeFrames;
        if (component.DonatedLimit == 0 || free >= needed || component.WishPages >= needed - free || Room(ref kernel, in component) == 0)
        {
            return;
        }

        component.WishPages = needed - free;
        if (!kernel.WishesKnown)
        {
            kernel.WishesKnown = true;
            Messages<TMachine>.Notify(ref kernel, PendingWork.WishNotice);
        }
    }

    /// <summary>The next component that is short of memory, and the pages to ask for; 0: there is none.</summary>
    public static ulong TakeWish(ref KernelState kernel, out int component)
    {
        for (component = 0; component < kernel.ComponentCount; component++)
        {
            ref Component who = ref kernel.Components[component];
            ulong wish = who.WishPages;
            if (wish == 0)
            {
                continue;
            }

            who.WishPages = 0;
            ulong room = Room(ref kernel, in who);
            if (room != 0)
            {
                // Half of what it has, so that many pages are few runs.
                ulong pages = Math.Max(Math.Max((who.DonatedLimit - room) / 2, wish), Limits.WishPages);
                return Math.Min(Math.Min(pages, Limits.RunPages), room);
            }
        }

        component = 0;
        kernel.WishesKnown = false;
        return 0;
    }

    /// <summary>Linux touched a donated frame. False: its owner runs on another CPU, which has been told; Linux tries again.</summary>
    public static bool TryReclaim(ref KernelState kernel, ulong page)
    {
        int index = Find(ref kernel, page);
        return index < 0
            || kernel.Runs[index].State is not (RunState.Filling or RunState.Held)
            || TryEnd(ref kernel, ref kernel.Components[kernel.Runs[index].Owner]);
    }

    /// <summary>The runs of a component that it does not use start on their way back.</summary>
    public static void ReturnUnused(ref KernelState kernel, ref Component component)
    {
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State == RunState.Held && run.Owner == (int)component.Index && run.Used == 0)
            {
                component.DonatedFree -= run.Pages;
                Leave(ref kernel, ref run);
            }
        }
    }

    /// <summary>All runs start on their way back. A component that uses its own, or may be about to, ends. False: one still runs on another CPU.</summary>
    public static bool TryReturnAll(ref KernelState kernel)
    {
        bool all = true;
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State == RunState.Filling)
            {
                // XnuProxy began with it for a Linux that is gone.
                Leave(ref kernel, ref run);
            }

            if (run.State != RunState.Held)
            {
                continue;
            }

            // Threads that wait for their next message are in the midst of nothing.
            ref Component owner = ref kernel.Components[run.Owner];
            if (run.Used == 0 && Lifecycle<TMachine>.IsAtRest(in owner))
            {
                owner.DonatedFree -= run.Pages;
                Leave(ref kernel, ref run);
            }
            else
            {
                all &= TryEnd(ref kernel, ref owner);
            }
        }

        return all;
    }

    /// <summary>The component has ended, and its address space with it.</summary>
    public static void ReturnOf(ref KernelState kernel, ref Component component)
    {
        component.DonatedFree = 0;
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State is RunState.Filling or RunState.Held && run.Owner == (int)component.Index)
            {
                Leave(ref kernel, ref run);
            }
        }
    }

    /// <summary>Gives a chunk of frames back. Tells XnuProxy when a run is complete.</summary>
    public static void ReturnChunk(ref KernelState kernel)
    {
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State != RunState.Returning)
            {
                continue;
            }

            for (uint page = 0; page < Limits.ReturnPages && run.Back < run.Given && (page == 0 || !TMachine.IsWaitedFor()); page++)
            {
                // Refused when Linux has it back already because it touched it; one that SPTM cannot change now, Linux gets in the same way.
                _ = TMachine.Retype(run.Base + (run.Back * Limits.PageBytes), FrameType.SkDonated, FrameType.XnuDefault);
                run.Back++;
            }

            if (run.Back == run.Given)
            {
                run.State = RunState.Returned;
                Messages<TMachine>.Notify(ref kernel, PendingWork.MemoryNotice);
            }

            return;
        }

        kernel.Pending &= ~PendingWork.Return;
    }

    /// <summary>A run that is back entirely; SK forgets it. 0: there is none.</summary>
    public static ulong Collect(ref KernelState kernel)
    {
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State == RunState.Returned)
            {
                ulong address = run.Base;
                run = default;
                kernel.Counters[(int)SkCounter.DonatedRuns]--;
                return address;
            }
        }

        kernel.Pending &= ~PendingWork.MemoryNotice;
        return 0;
    }

    /// <summary>First byte of the first run, and bytes of all of them.</summary>
    public static void Describe(ref KernelState kernel, uint owner, out ulong address, out ulong bytes)
    {
        address = 0;
        bytes = 0;
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State == RunState.Held && run.Owner == (int)owner)
            {
                address = address == 0 ? run.Base : address;
                bytes += run.Pages * Limits.PageBytes;
            }
        }
    }

    /// <summary>Everything in Linux's answer that SK can judge; the type of each frame is SPTM's to know.</summary>
    private static Status Begin(ref KernelState kernel, ulong address, ulong pages, ulong owner, out int index)
    {
        index = -1;
        if (pages is 0 or > Limits.RunPages || owner >= (ulong)kernel.ComponentCount)
        {
            return Status.BadArgument;
        }

        ulong bytes = pages * Limits.PageBytes;
        if ((address & (Limits.PageBytes - 1)) != 0 || !kernel.IsRam(address, bytes) || address > ReachableEnd - bytes)
        {
            return Status.BadAddress;
        }

        ref Component component = ref kernel.Components[(int)owner];
        if (component.Life != ComponentState.Running)
        {
            return Status.BadState;
        }

        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            if (run.State == RunState.Free)
            {
                index = index < 0 ? i : index;
                continue;
            }

            if (address < run.Base + (run.Pages * Limits.PageBytes) && run.Base < address + bytes)
            {
                return Status.Denied;
            }
        }

        if (index < 0 || pages > Room(ref kernel, in component))
        {
            return Status.NoMemory;
        }

        ref DonatedRun fresh = ref kernel.Runs[index];
        fresh = default;
        fresh.State = RunState.Filling;
        fresh.Owner = (int)owner;
        fresh.Base = address;
        fresh.Pages = (uint)pages;
        for (uint word = fresh.Pages / WordBits; word < Limits.RunPages / WordBits; word++)
        {
            uint inside = word == fresh.Pages / WordBits ? fresh.Pages % WordBits : 0;
            fresh.Bits[(int)word] = ulong.MaxValue << (int)inside;
        }

        kernel.Counters[(int)SkCounter.DonatedRuns]++;
        return Status.Ok;
    }

    /// <summary>Pages that a component may still be given: what is on its way back to Linux counts as its own.</summary>
    private static ulong Room(ref KernelState kernel, in Component component)
    {
        ulong held = 0;
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref kernel.Runs[i];
            held += run.State != RunState.Free && run.Owner == (int)component.Index ? run.Pages : 0;
        }

        return held < component.DonatedLimit ? component.DonatedLimit - held : 0;
    }

    private static Status Refused(ref KernelState kernel, ref DonatedRun run)
    {
        if (run.Given != 0)
        {
            Leave(ref kernel, ref run);
            return Status.Busy;
        }

        run = default;
        kernel.Counters[(int)SkCounter.DonatedRuns]--;
        return Status.Denied;
    }

    /// <summary>Nobody can reach its frames any more when this is called.</summary>
    private static void Leave(ref KernelState kernel, ref DonatedRun run)
    {
        if (run.State == RunState.Held)
        {
            ref Component owner = ref kernel.Components[run.Owner];
            owner.DonatedPages -= run.Pages;
            Tell(in owner);
        }

        run.State = RunState.Returning;
        kernel.Pending |= PendingWork.Return;
    }

    /// <summary>A component that lives sees how much it has.</summary>
    private static void Tell(in Component component)
    {
        if (component.Space.Root != 0)
        {
            TMachine.At<StartInfo>(component.Space.Lookup<TMachine>(UserLayout.StartInfo).Frame).DonatedPages = component.DonatedPages;
        }
    }

    private static bool TryEnd(ref KernelState kernel, ref Component owner)
    {
        ulong cpus = Lifecycle<TMachine>.CpusOf(in owner);
        if (cpus != 0)
        {
            owner.Doomed = !owner.Ending;
            TMachine.Kick(cpus);
            return false;
        }

        Lifecycle<TMachine>.EndReclaimed(ref kernel, ref owner);
        return true;
    }

    private static int Find(ref KernelState kernel, ulong page)
    {
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            if (kernel.Runs[i].Contains(page))
            {
                return i;
            }
        }

        return -1;
    }

    private static int FindFilling(ref KernelState kernel, ulong address, ulong pages, ulong owner)
    {
        int index = Find(ref kernel, address);
        if (index < 0)
        {
            return -1;
        }

        ref DonatedRun run = ref kernel.Runs[index];
        return run.State == RunState.Filling && (ulong)run.Owner == owner && run.Given != 0
            && run.Base + (run.Given * Limits.PageBytes) == address && run.Pages - run.Given == pages ? index : -1;
    }
}
