using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What XnuProxy alone may ask: it answers Linux and handles Linux's memory.</summary>
public static class DowncallCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = endpoint slot, x1 = VA of the call's RPC argument, x2 = generation of the server that is meant, 0 = any, x3 = whether buffers go along. Hands the downcall on; the caller owes it nothing any more.</summary>
    public static Status Forward(ref KernelState kernel, ref Thread caller)
    {
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Endpoint, CapabilityRights.Send, out ulong slot, out Capability capability);
        if (status != Status.Ok)
        {
            return status;
        }

        MessageShape shape = Messages<TMachine>.Read(caller.IpcPage);
        if (!shape.IsSound)
        {
            return Status.BadArgument;
        }

        if (caller.Serving.Kind != ServingKind.Downcall)
        {
            return Status.BadState;
        }

        ref Component server = ref kernel.Components[TMachine.At<Endpoint>(capability.Object).Owner];
        ulong generation = caller.Context.X[2];
        if (server.Life == ComponentState.Dead || (generation != 0 && server.Generation != generation))
        {
            return Lifecycle<TMachine>.EndOf(in server);
        }

        if (server.IsProxy)
        {
            return Status.Deadlock;
        }

        status = Lifecycle<TMachine>.RefusalOf(ref kernel, in server);
        if (status != Status.Ok)
        {
            return status;
        }

        int index = (int)caller.Serving.Whom;
        if (caller.Context.X[3] != 0)
        {
            status = Lending<TMachine>.TryAttach(ref kernel, index, caller.IpcPage, in server);
            if (status != Status.Ok)
            {
                return status;
            }
        }

        caller.Serving = default;
        kernel.Downcalls[index].RpcArgument = caller.Context.X[1];
        kernel.Downcalls[index].Badge = TMachine.At<CapabilitySlot>(slot).Badge;
        Messages<TMachine>.SendCopy(ref kernel, capability.Object, index, DowncallMessage.Forwarded, caller.IpcPage, in shape);
        return Status.Ok;
    }

    /// <summary>x0 = downcall id, x1..x4 = Linux's x0..x3.</summary>
    public static Status Finish(ref KernelState kernel, ref Thread caller)
    {
        Status status = FindHeld(ref kernel, ref caller, out int index);
        if (status != Status.Ok)
        {
            return status;
        }

        if (caller.Serving.Kind != ServingKind.Downcall || caller.Serving.Whom != (ulong)index)
        {
            return Status.BadState;
        }

        ref UserContext context = ref caller.Context;
        ref Downcall call = ref kernel.Downcalls[index];
        caller.Serving = default;
        call.Phase = DowncallPhase.Finished;
        call.X0 = context.X[1];
        call.X1 = context.X[2];
        call.X2 = context.X[3];
        call.X3 = context.X[4];
        return Status.Ok;
    }

    /// <summary>x0 = downcall id, x1..x3 = Linux's x0..x2. Whoever needs the answer waits until Linux is back.</summary>
    public static Status Suspend(ref KernelState kernel, ref Thread caller)
    {
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        ref UserContext context = ref caller.Context;
        int index = Downcalls<TMachine>.Find(ref kernel, context.X[0]);
        if (index < 0)
        {
            return Status.NotFound;
        }

        ref Downcall call = ref kernel.Downcalls[index];
        if (call.Phase != DowncallPhase.Held)
        {
            return Status.BadState;
        }

        switch (caller.Serving.Kind)
        {
            case ServingKind.Thread:
                ref Thread upcaller = ref TMachine.At<Thread>(caller.Serving.Whom);
                if (Messages<TMachine>.DowncallOf(ref upcaller) != index || call.IsInUpcall)
                {
                    return Status.BadState;
                }

                upcaller.State = ThreadState.Upcalling;
                upcaller.Upcall = index + 1;
                call.Upcaller = upcaller.Address;
                call.Holder = call.At;
                break;

            case ServingKind.UpcallReturn when caller.Serving.Whom == (ulong)index:
                // The same thread waits on, for one more answer.
                call.Message = DowncallMessage.None;
                break;

            case ServingKind.Downcall when caller.Serving.Whom == (ulong)index:
                call.Upcaller = Downcall.ProxyItself;
                call.Holder = call.At;
                break;

            default:
                return Status.BadState;
        }

        caller.Serving = default;
        call.Phase = DowncallPhase.Leaving;
        call.X0 = context.X[1];
        call.X1 = context.X[2];
        call.X2 = context.X[3];
        return Status.Ok;
    }

    /// <summary>x0 = Linux PA, x1 = VA, x2 = bytes. SPTM makes the copy and knows which frames are Linux's to lend.</summary>
    public static Status Copy(ref KernelState kernel, ref Thread caller, bool toLinux)
    {
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        ref UserContext context = ref caller.Context;
        ulong linux = context.X[0];
        ulong address = context.X[1];
        ulong bytes = context.X[2];
        if (bytes is 0 or > Limits.PageBytes || CrossesPage(linux, bytes) || CrossesPage(address, bytes))
        {
            return Status.BadArgument;
        }

        if (!kernel.IsRam(linux, bytes))
        {
            return Status.BadAddress;
        }

        ulong secure = SpaceOf(ref kernel, ref caller).Translate<TMachine>(address, write: !toLinux);
        if (secure == 0)
        {
            return Status.BadAddress;
        }

        bool done = toLinux ? TMachine.LinuxWrite(linux, secure, bytes) : TMachine.LinuxRead(linux, secure, bytes);
        return done ? Status.Ok : Status.Denied;
    }

    /// <summary>x0 = VA of page addresses, x1 = count, x2 = VA in the window. All or nothing.</summary>
    public static Status ShareMap(ref KernelState kernel, ref Thread caller)
    {
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        ref UserContext context = ref caller.Context;
        ulong list = context.X[0];
        ulong count = context.X[1];
        ulong window = context.X[2];
        if (count is 0 or > SecureCallArguments.SharePages || (list & 7) != 0 || CrossesPage(list, count * sizeof(ulong)) || !IsWindow(window, count))
        {
            return Status.BadArgument;
        }

        ulong entries = SpaceOf(ref kernel, ref caller).Translate<TMachine>(list, write: false);
        if (entries == 0)
        {
            return Status.BadAddress;
        }

        for (ulong i = 0; i < count; i++)
        {
            Status status = ShareOne(ref kernel, ref caller, TMachine.At<ulong>(entries + (i * sizeof(ulong))), window + (i * Limits.PageBytes));
            if (status != Status.Ok)
            {
                UnshareRange(ref kernel, ref caller, window, i);
                return status;
            }
        }

        return Status.Ok;
    }

    /// <summary>x0 = VA in the window, x1 = pages.</summary>
    public static Status ShareUnmap(ref KernelState kernel, ref Thread caller, out ulong done)
    {
        done = 0;
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        ulong window = caller.Context.X[0];
        ulong pages = caller.Context.X[1];
        if (!IsWindow(window, pages))
        {
            return Status.BadArgument;
        }

        if (Lending<TMachine>.IsLent(ref kernel, window, pages))
        {
            return Status.Busy;
        }

        done = pages < SecureCallArguments.SharePages ? pages : SecureCallArguments.SharePages;
        UnshareRange(ref kernel, ref caller, window, done);
        return Status.Ok;
    }

    private static Status ShareOne(ref KernelState kernel, ref Thread caller, ulong page, ulong address)
    {
        if ((page & (Limits.PageBytes - 1)) != 0 || !kernel.IsRam(page, Limits.PageBytes))
        {
            return Status.BadAddress;
        }

        if (!SpaceOf(ref kernel, ref caller).Lookup<TMachine>(address).IsHole)
        {
            return Status.BadState;
        }

        if (!TMachine.Share(page))
        {
            return Status.Denied;
        }

        Status status = SpaceOf(ref kernel, ref caller).Map<TMachine>(ref kernel.Components[caller.Component].Memory, address, PageEntry.Create(page, PageAccess.ReadWrite, PageSource.Shared));
        if (status != Status.Ok)
        {
            Unshare(page);
            return status;
        }

        kernel.Counters[(int)SkCounter.SharedMappings]++;
        return Status.Ok;
    }

    /// <summary>Nobody can reach the page through the window when SPTM takes it back.</summary>
    private static void UnshareRange(ref KernelState kernel, ref Thread caller, ulong window, ulong pages)
    {
        for (ulong i = 0; i < pages; i++)
        {
            PageEntry old = SpaceOf(ref kernel, ref caller).Unmap<TMachine>(ref kernel.Components[caller.Component].Memory, window + (i * Limits.PageBytes));
            if (!old.IsHole)
            {
                kernel.Counters[(int)SkCounter.SharedMappings]--;
                Unshare(old.Frame);
            }
        }
    }

    private static void Unshare(ulong page)
    {
        if (!TMachine.Unshare(page))
        {
            TMachine.Panic(PanicCode.UnshareRefused, page, 0, 0);
        }
    }

    /// <summary>x0 = id of a downcall that the caller holds.</summary>
    public static Status FindHeld(ref KernelState kernel, ref Thread caller, out int index)
    {
        index = -1;
        if (!MayUse(ref kernel, ref caller))
        {
            return Status.BadCapability;
        }

        index = Downcalls<TMachine>.Find(ref kernel, caller.Context.X[0]);
        if (index < 0)
        {
            return Status.NotFound;
        }

        ref Downcall call = ref kernel.Downcalls[index];
        return call.Phase == DowncallPhase.Held && call.At == caller.Address ? Status.Ok : Status.BadState;
    }

    private static bool MayUse(ref KernelState kernel, ref Thread caller) =>
        kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall);

    private static ref AddressSpace SpaceOf(ref KernelState kernel, ref Thread caller) => ref kernel.Components[caller.Component].Space;

    private static bool IsWindow(ulong address, ulong pages) =>
        AddressSpace.IsRange(address, pages)
        && address >= UserLayout.SharedBase && address < UserLayout.SharedEnd
        && (UserLayout.SharedEnd - address) / Limits.PageBytes >= pages;

    private static bool CrossesPage(ulong address, ulong bytes) => (address & (Limits.PageBytes - 1)) + bytes > Limits.PageBytes;
}
