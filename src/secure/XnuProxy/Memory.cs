using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>Memory of Linux for components: asked for by SHM_ALLOC (kernel pages, tee-abi 1.10), donated through SK, freed when it is back.</summary>
/// <remarks>
/// Linux's driver allocates with GFP_KERNEL, which prefers pages above the DMA window; those inside it SPTM refuses. They are held until the request
/// is over, so that Linux cannot answer with the same ones again, and freed then. Freeing needs a thread of Linux: whichever call ends next carries it out.
/// </remarks>
public static class Memory<TSystem> where TSystem : struct, IProxySystem
{
    /// <summary>Allocations that one request looks at.</summary>
    public const int Attempts = 4;

    private const ulong KernelPages = 1;
    private const ulong PageMask = UserLayout.PageBytes - 1;
    private const int EntriesPerList = 511;

    /// <summary>What may be asked for.</summary>
    public static bool IsAllowed(ulong bytes) => bytes is > 0 and <= Rpc.MaxMemoryBytes && (bytes & PageMask) == 0;

    /// <summary>The question, for the RPC argument.</summary>
    public static void Ask(ref MessageParameter parameter, ulong bytes)
    {
        parameter.Attribute = MessageParameter.ValueInput;
        parameter.A = KernelPages;
        parameter.B = bytes;
        parameter.C = UserLayout.PageBytes;
    }

    /// <summary>Judges Linux's answer (a copy) and donates what it names.</summary>
    /// <returns><see cref="Status.Denied"/>: not this memory, other may do. <see cref="Status.BadReply"/>: no sound answer. Other refusals are final.</returns>
    public static Status Take(ref ProxyState state, in Request request, in ArgumentCopy answer)
    {
        if (answer.Header.Result != Tee.Success)
        {
            return Status.NoMemory;
        }

        ref readonly MessageParameter parameter = ref answer.Parameters[0];
        bool list = parameter.Attribute == (MessageParameter.TemporaryOutput | MessageParameter.NonContiguous);
        if (answer.Header.ParameterCount != 1 || (!list && parameter.Attribute != MessageParameter.TemporaryOutput)
            || (parameter.A & PageMask) != 0 || parameter.B < request.Value || parameter.C == 0)
        {
            return Status.BadReply;
        }

        ulong address = parameter.A;
        if (list && !TryReadList(parameter.A, request.Value / UserLayout.PageBytes, out address))
        {
            return Status.BadReply;
        }

        if (!state.Allocations.TryAdd(parameter.C, address, out int index))
        {
            return Status.BadReply;
        }

        Status status = TSystem.Donate(address, request.Value / UserLayout.PageBytes, request.Component);
        if (status == Status.Busy)
        {
            // SK had some of it; it says when that is back.
            return Status.Denied;
        }

        if (status != Status.Ok)
        {
            state.Allocations.MakeIdle(index);
        }

        return status is Status.BadAddress ? Status.Denied : status;
    }

    /// <summary>Unused memory of one component, or all memory, goes back to Linux.</summary>
    public static void GiveBack(ref ProxyState state, ulong component)
    {
        // Refused only without the capability, which XnuProxy has.
        _ = TSystem.ReturnDonated(component);
        Collect(ref state);
    }

    /// <summary>What is back in Linux's hands can be freed.</summary>
    public static void Collect(ref ProxyState state)
    {
        while (TSystem.CollectDonated(out ulong address) == Status.Ok)
        {
            state.Allocations.MakeIdle(address);
        }
    }

    /// <summary>Has a downcall that is about to end free an allocation first. False: there is nothing to free, or it cannot.</summary>
    public static bool TryFree(ref ProxyState state, ulong downcall, ulong x0)
    {
        int index = state.Allocations.FindIdle();
        if (index < 0)
        {
            return false;
        }

        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF) % Request.Capacity];
        ulong cookie = state.Allocations[index].Cookie;
        if (request.Downcall != 0 || TSystem.Suspend(downcall, Tee.RpcFree, cookie >> 32, (uint)cookie) != Status.Ok)
        {
            return false;
        }

        state.Allocations.Remove(index);
        request.Downcall = downcall;
        request.Upcall = Request.Freeing;
        request.Answer = x0;
        return true;
    }

    /// <summary>Newer drivers name each page; what they name is one contiguous run, and must be.</summary>
    private static bool TryReadList(ulong list, ulong pages, out ulong address)
    {
        address = 0;
        for (ulong done = 0; done < pages;)
        {
            if ((list & PageMask) != 0 || TSystem.LinuxRead(list, (int)UserLayout.PageBytes) != Status.Ok)
            {
                return false;
            }

            ReadOnlySpan<ulong> entries = MemoryMarshal.Cast<byte, ulong>(TSystem.Scratch);
            address = done == 0 ? entries[0] : address;
            for (int i = 0; i < EntriesPerList && done < pages; i++, done++)
            {
                if (entries[i] != address + (done * UserLayout.PageBytes))
                {
                    return false;
                }
            }

            list = entries[EntriesPerList];
        }

        return (address & PageMask) == 0;
    }
}
