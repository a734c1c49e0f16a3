using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Who got what from whom: capabilities in the order of their derivation, so that what was given can be taken back (I15).</summary>
/// <remarks>
/// One doubly linked list for each capability that boot made. What is derived from a capability follows it, one deeper; its descendants are those that
/// follow and are deeper than it. Two rules keep this small: who gives a capability up ends what was derived from it, and an object lives exactly as long
/// as its original capability. Capabilities of tables and of untyped memory lie in components' own tables only, so no table contains itself.
/// Revocation ends however fast others derive: it first closes all that is to go, from which nothing is derived then, and takes it away afterwards.
/// One that nobody carries on leaves it closed: whoever may revoke may also have nothing derived.
/// </remarks>
public static class Derivation<TMachine> where TMachine : struct, IMachine
{
    /// <summary>Fills an empty slot with what is derived from another.</summary>
    public static void Link(ulong parent, ulong slot, Capability capability, ulong badge)
    {
        ref CapabilitySlot above = ref TMachine.At<CapabilitySlot>(parent);
        ulong next = above.Next;
        TMachine.At<CapabilitySlot>(slot) = new CapabilitySlot { Word = capability.Value, Badge = badge, Previous = parent, Next = next };
        above.Next = slot;
        if (next != 0)
        {
            TMachine.At<CapabilitySlot>(next).Previous = slot;
        }
    }

    /// <summary>What was in one slot is in another, with the same ancestors and descendants.</summary>
    public static void Move(ref KernelState kernel, ulong from, ulong to)
    {
        ref CapabilitySlot old = ref TMachine.At<CapabilitySlot>(from);
        TMachine.At<CapabilitySlot>(to) = old;
        if (old.Previous != 0)
        {
            TMachine.At<CapabilitySlot>(old.Previous).Next = to;
        }

        if (old.Next != 0)
        {
            TMachine.At<CapabilitySlot>(old.Next).Previous = to;
        }

        old = default;
        kernel.Closing.Root = kernel.Closing.Root == from ? to : kernel.Closing.Root;
        kernel.Closing.Last = kernel.Closing.Last == from ? to : kernel.Closing.Last;
    }

    /// <summary>Deletes what was derived from a slot, the latest first. What boot derived stays.</summary>
    /// <param name="budget">Steps that are left before interrupts must be let in.</param>
    /// <returns>False: there is more, call again.</returns>
    public static bool TryRevoke(ref KernelState kernel, ulong slot, ref int budget)
    {
        if (!TryTakeAway(ref kernel, slot, ref budget))
        {
            return false;
        }

        Reopen(slot);
        return true;
    }

    private static bool TryTakeAway(ref KernelState kernel, ulong slot, ref int budget)
    {
        ref CapabilitySlot root = ref TMachine.At<CapabilitySlot>(slot);
        if (!TryClose(ref kernel, slot))
        {
            return false;
        }

        for (ulong leaf = LeafOf(slot); leaf != slot; leaf = LeafOf(slot))
        {
            if (!TryRemove(ref kernel, leaf, ref budget))
            {
                return false;
            }
        }

        return root.Capability.Kind != CapabilityKind.Untyped || TryScrub(ref root, ref budget);
    }

    /// <summary>Closes a chunk of what was derived from a slot. Where somebody else has begun, that is carried to its end first, so that two never wait for each other.</summary>
    /// <returns>False: there is more, call again.</returns>
    private static bool TryClose(ref KernelState kernel, ulong slot)
    {
        ref CapabilitySlot root = ref TMachine.At<CapabilitySlot>(slot);
        if (kernel.Closing.Root == 0 && !root.Capability.IsRevoking)
        {
            root.Word = root.Capability.WithRevoking(true).Value;
            kernel.Closing = new Closing { Root = slot, Last = slot };
        }

        ref Closing closing = ref kernel.Closing;
        uint closed = 0;
        for (; closing.Root != 0; closed++)
        {
            ulong next = TMachine.At<CapabilitySlot>(closing.Last).Next;
            if (next == 0 || TMachine.At<CapabilitySlot>(next).Capability.Depth <= TMachine.At<CapabilitySlot>(closing.Root).Capability.Depth)
            {
                closing = default;
                break;
            }

            if (closed == Limits.ChunkClosed)
            {
                return false;
            }

            ref CapabilitySlot below = ref TMachine.At<CapabilitySlot>(next);
            below.Word = below.Capability.WithClosed(true).Value;
            closing.Last = next;
        }

        // Whose closing that was, is known by its mark. One that took long was a step of its own.
        return root.Capability.IsRevoking && closed <= Limits.ChunkCapabilities;
    }

    /// <summary>All that is left below is what boot made. It stays closed if the slot does.</summary>
    private static void Reopen(ulong slot)
    {
        ref CapabilitySlot root = ref TMachine.At<CapabilitySlot>(slot);
        root.Word = root.Capability.WithRevoking(false).Value;
        if (root.Capability.IsClosed)
        {
            return;
        }

        int depth = root.Capability.Depth;
        for (ulong at = root.Next; at != 0 && TMachine.At<CapabilitySlot>(at).Capability.Depth > depth; at = TMachine.At<CapabilitySlot>(at).Next)
        {
            ref CapabilitySlot below = ref TMachine.At<CapabilitySlot>(at);
            below.Word = below.Capability.WithClosed(false).Value;
        }
    }

    /// <summary>What was given out of untyped memory is zero again before it can be given out once more.</summary>
    private static bool TryScrub(ref CapabilitySlot untyped, ref int budget)
    {
        while (untyped.Badge != 0)
        {
            if (budget-- <= 0)
            {
                return false;
            }

            untyped.Badge = (untyped.Badge - 1) & ~(Limits.PageBytes - 1);
            TMachine.Clear(untyped.Capability.Object + untyped.Badge);
        }

        return true;
    }

    /// <summary>A descendant that has none itself and that boot did not make, or the slot. (What is derived from one that boot did not make, boot did not make either.)</summary>
    private static ulong LeafOf(ulong root)
    {
        int depth = TMachine.At<CapabilitySlot>(root).Capability.Depth;
        for (ulong at = TMachine.At<CapabilitySlot>(root).Next; at != 0; at = TMachine.At<CapabilitySlot>(at).Next)
        {
            ref CapabilitySlot slot = ref TMachine.At<CapabilitySlot>(at);
            if (slot.Capability.Depth <= depth)
            {
                break;
            }

            if (!slot.Capability.IsDeclared && (slot.Next == 0 || TMachine.At<CapabilitySlot>(slot.Next).Capability.Depth <= slot.Capability.Depth))
            {
                return at;
            }
        }

        return root;
    }

    /// <summary>Deletes a capability and what was derived from it; its object, if it is the original.</summary>
    public static bool TryDelete(ref KernelState kernel, ulong slot, ref int budget) =>
        TryTakeAway(ref kernel, slot, ref budget) && TryRemove(ref kernel, slot, ref budget);

    /// <summary>A capability that has no descendants.</summary>
    /// <remarks>The budget is charged for what is done, not for what is begun, so that each step makes progress at any depth: a table, an endpoint in it, who waits there.</remarks>
    private static bool TryRemove(ref KernelState kernel, ulong slot, ref int budget)
    {
        if (budget <= 0)
        {
            return false;
        }

        ref CapabilitySlot gone = ref TMachine.At<CapabilitySlot>(slot);
        Capability capability = gone.Capability;
        if (capability.IsOriginal && !TryDestroy(ref kernel, capability, ref budget))
        {
            return false;
        }

        if (capability.Kind == CapabilityKind.Frame)
        {
            FrameCalls<TMachine>.Unmap(ref kernel, ref gone);
        }

        if (kernel.Closing.Last == slot)
        {
            kernel.Closing.Last = gone.Previous;
        }

        if (kernel.Closing.Root == slot)
        {
            kernel.Closing = default;
        }

        if (gone.Previous != 0)
        {
            TMachine.At<CapabilitySlot>(gone.Previous).Next = gone.Next;
        }

        if (gone.Next != 0)
        {
            TMachine.At<CapabilitySlot>(gone.Next).Previous = gone.Previous;
        }

        gone = default;
        budget--;
        return true;
    }

    /// <summary>Nobody waits for an object that is gone.</summary>
    private static bool TryDestroy(ref KernelState kernel, Capability capability, ref int budget)
    {
        switch (capability.Kind)
        {
            case CapabilityKind.Endpoint:
                return Messages<TMachine>.TryCancel(ref kernel, ref TMachine.At<Endpoint>(capability.Object), Status.Revoked, ref budget)
                    && TryWake(ref TMachine.At<Endpoint>(capability.Object).Receivers, ref budget);
            case CapabilityKind.Notification:
                return TryWake(ref TMachine.At<Notification>(capability.Object).Waiters, ref budget);
            case CapabilityKind.Reply:
                ref Reply reply = ref TMachine.At<Reply>(capability.Object);
                Messages<TMachine>.Abandon(ref kernel, reply.Owner, ref reply.Duty, Status.Revoked);
                return true;
            case CapabilityKind.Table:
                return TryEmpty(ref kernel, capability, ref budget);
            default:
                return true;
        }
    }

    private static bool TryWake(ref ulong list, ref int budget)
    {
        while (list != 0)
        {
            if (budget-- <= 0)
            {
                return false;
            }

            ref Thread thread = ref TMachine.At<Thread>(list);
            list = thread.Next;
            Messages<TMachine>.Wake(ref thread, Status.Revoked);
        }

        return true;
    }

    private static bool TryEmpty(ref KernelState kernel, Capability table, ref int budget)
    {
        ulong end = table.Object + Limits.PageBytes;
        for (ulong slot = table.Object; slot < end; slot += CapabilitySlot.Bytes)
        {
            if (!TMachine.At<CapabilitySlot>(slot).IsEmpty && !TryDelete(ref kernel, slot, ref budget))
            {
                return false;
            }
        }

        return true;
    }
}
