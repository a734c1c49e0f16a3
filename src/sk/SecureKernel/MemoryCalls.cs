using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What a component may do to its own address space. x0 = address, x1 = pages; a call does at most a chunk and says how much.</summary>
public static class MemoryCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x2 = R or RW. Nothing is mapped unless the whole range is free and can be paid for.</summary>
    /// <remarks>The price is exact, and a chunk spends exactly its part of it: once the first chunk is granted the others are, unless
    /// what the caller does between two chunks (its exception handler may run there), or Linux's reclaim of donated frames, takes away from it.
    /// Frames come from donated memory first; tables never do.</remarks>
    public static Status Map(ref KernelState kernel, ref Thread caller, out ulong done)
    {
        ref UserContext context = ref caller.Context;
        ref Component owner = ref kernel.Components[caller.Component];
        ulong address = context.X[0];
        ulong pages = context.X[1];
        done = 0;
        PageAccess access = AccessOf(context.X[2]);
        if (access == PageAccess.None || !IsOwnRange(address, pages))
        {
            return Status.BadArgument;
        }

        if (caller.MapNext != address || caller.MapPages != pages)
        {
            Status judged = Judge(in owner, address, pages);
            if (judged != Status.Ok)
            {
                if (judged == Status.NoMemory)
                {
                    // It may try again with the next call.
                    Donations<TMachine>.Wish(ref kernel, ref owner, pages > owner.DonatedLimit ? Limits.LowPages : pages + Limits.LowPages);
                }

                return judged;
            }
        }

        ulong count = pages < Limits.ChunkPages ? pages : Limits.ChunkPages;
        caller.MapNext = pages == count ? 0 : address + (count * Limits.PageBytes);
        caller.MapPages = pages - count;
        Status status = Status.Ok;
        for (; done < count; done++)
        {
            status = MapOne(ref kernel, ref owner, address + (done * Limits.PageBytes), access);
            if (status != Status.Ok)
            {
                caller.MapNext = 0;
                break;
            }
        }

        Donations<TMachine>.Wish(ref kernel, ref owner, Limits.LowPages);
        return status;
    }

    private static Status Judge(in Component caller, ulong address, ulong pages)
    {
        ulong free = caller.Memory.FreeFrames;
        ulong own = pages > caller.DonatedFree ? pages - caller.DonatedFree : 0;
        if (own > free || caller.Space.MissingTables<TMachine>(address, pages) > free - own)
        {
            return Status.NoMemory;
        }

        return caller.Space.IsFree<TMachine>(address, pages) ? Status.Ok : Status.BadAddress;
    }

    private static Status MapOne(ref KernelState kernel, ref Component caller, ulong address, PageAccess access)
    {
        ulong frame = Donations<TMachine>.Allocate(ref kernel, ref caller);
        frame = frame != 0 ? frame : caller.Memory.Allocate<TMachine>();
        if (frame == 0)
        {
            return Status.NoMemory;
        }

        Status status = caller.Space.Map<TMachine>(ref caller.Memory, address, PageEntry.Create(frame, access, PageSource.Owned));
        if (status != Status.Ok && !Donations<TMachine>.TryRelease(ref kernel, ref caller, frame))
        {
            caller.Memory.Release<TMachine>(frame);
        }

        return status;
    }

    public static Status Unmap(ref KernelState kernel, ref Thread thread, out ulong done)
    {
        ref Component caller = ref kernel.Components[thread.Component];
        ulong address = thread.Context.X[0];
        ulong pages = thread.Context.X[1];
        done = 0;
        if (!IsOwnRange(address, pages))
        {
            return Status.BadArgument;
        }

        for (uint work = 0; work < Limits.ChunkPages && done < pages; work++)
        {
            ulong at = address + (done * Limits.PageBytes);
            PageEntry entry = caller.Space.Lookup<TMachine>(at);
            if (entry.IsHole)
            {
                done += Skip(in caller, at);
                continue;
            }

            if (entry.Source != PageSource.Owned)
            {
                return Status.BadAddress;
            }

            caller.Space.Unmap<TMachine>(ref caller.Memory, at);
            if (!Donations<TMachine>.TryRelease(ref kernel, ref caller, entry.Frame))
            {
                caller.Memory.Release<TMachine>(entry.Frame);
            }

            done++;
        }

        return Status.Ok;
    }

    /// <summary>x2 = R, RW or 0.</summary>
    public static Status Protect(ref KernelState kernel, ref Thread thread, out ulong done)
    {
        ref Component caller = ref kernel.Components[thread.Component];
        ulong address = thread.Context.X[0];
        ulong pages = thread.Context.X[1];
        PageAccess access = AccessOf(thread.Context.X[2]);
        done = 0;
        if (!IsOwnRange(address, pages) || (access == PageAccess.None && thread.Context.X[2] != 0))
        {
            return Status.BadArgument;
        }

        for (uint work = 0; work < Limits.ChunkPages && done < pages; work++)
        {
            ulong at = address + (done * Limits.PageBytes);
            PageEntry entry = caller.Space.Lookup<TMachine>(at);
            if (entry.IsHole)
            {
                done += Skip(in caller, at);
                continue;
            }

            if (entry.Source != PageSource.Owned)
            {
                return Status.BadAddress;
            }

            caller.Space.Protect<TMachine>(at, access);
            done++;
        }

        return Status.Ok;
    }

    /// <summary>x0 = device slot, x1 = VA.</summary>
    public static Status MapDevice(ref KernelState kernel, ref Thread thread)
    {
        ref UserContext context = ref thread.Context;
        ref Component caller = ref kernel.Components[thread.Component];
        Status status = caller.Capabilities.Decode<TMachine>(context.X[0], CapabilityKind.Device, CapabilityRights.Map, out _, out Capability capability);
        if (status != Status.Ok)
        {
            return status;
        }

        ulong address = context.X[1];
        if (!IsOwnRange(address, 1))
        {
            return Status.BadArgument;
        }

        PageEntry entry = PageEntry.Create(capability.Object, PageAccess.ReadWrite, PageSource.Device);
        return caller.Space.Map<TMachine>(ref caller.Memory, address, entry);
    }

    /// <summary>x0 = VA of an own frame; its physical address in x1.</summary>
    public static Status PhysicalAddress(ref KernelState kernel, ref Thread thread)
    {
        ref Component caller = ref kernel.Components[thread.Component];
        if (!caller.Capabilities.MayUse(CapabilityKind.DmaAddress))
        {
            return Status.BadCapability;
        }

        ref UserContext context = ref thread.Context;
        if (context.X[0] is < AddressSpace.Lowest or >= UserLayout.End)
        {
            return Status.BadAddress;
        }

        PageEntry entry = caller.Space.Lookup<TMachine>(context.X[0]);
        if (!entry.IsValid || entry.Source != PageSource.Owned)
        {
            return Status.BadAddress;
        }

        context.X[1] = entry.Frame | (context.X[0] & (Limits.PageBytes - 1));
        return Status.Ok;
    }

    /// <summary>Ranges for a component's own use: not the windows on pages of Linux, nor the page that guards the first thread's stack, nor where its other threads lie.</summary>
    public static bool IsOwnRange(ulong address, ulong pages)
    {
        const ulong Guard = UserLayout.StackTop - UserLayout.StackBytes - Limits.PageBytes;
        return AddressSpace.IsRange(address, pages)
            && !Overlaps(address, pages, UserLayout.SharedBase, UserLayout.LentEnd)
            && !Overlaps(address, pages, Guard, Guard + Limits.PageBytes)
            && !Overlaps(address, pages, UserLayout.ThreadBase, UserLayout.ThreadEnd);
    }

    private static bool Overlaps(ulong address, ulong pages, ulong start, ulong end) =>
        address < end && address + (pages * Limits.PageBytes) > start;

    private static ulong Skip(in Component caller, ulong address) =>
        (caller.Space.NextCandidate<TMachine>(address) - address) / Limits.PageBytes;

    public static PageAccess AccessOf(ulong access) => access switch
    {
        (ulong)MemoryAccess.Read => PageAccess.Read,
        (ulong)(MemoryAccess.Read | MemoryAccess.Write) => PageAccess.ReadWrite,
        _ => PageAccess.None,
    };
}
