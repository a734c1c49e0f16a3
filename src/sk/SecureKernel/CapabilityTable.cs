using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>The capabilities of one component, and the only place that says yes to one.</summary>
/// <remarks>A slot's name is 16 bits of index, and above them the slot of a table capability in which it lies; 0 there = the component's own table.</remarks>
public struct CapabilityTable
{
    public const int IndexBits = 16;

    /// <summary>Slots in one page.</summary>
    public const uint PageSlots = (uint)(Limits.PageBytes / CapabilitySlot.Bytes);

    /// <summary>Physical address of slot 0, which stays empty for ever.</summary>
    public ulong Base;
    public uint Slots;

    /// <summary>Bit per <see cref="CapabilityKind"/> that some slot holds with the right Use.</summary>
    public uint Uses;

    /// <summary>Physical address of the slot that EL0 named, empty or not; 0 when there is none of that name.</summary>
    public readonly ulong Find<TMachine>(ulong name) where TMachine : struct, IMachine
    {
        if (name < Slots)
        {
            return name == 0 ? 0 : Base + (name * CapabilitySlot.Bytes);
        }

        ulong outer = name >> IndexBits;
        ulong inner = name & ((1 << IndexBits) - 1);
        if (outer == 0 || outer >= Slots)
        {
            return 0;
        }

        Capability table = TMachine.At<CapabilitySlot>(Base + (outer * CapabilitySlot.Bytes)).Capability;
        return table.Kind == CapabilityKind.Table && inner < (1ul << table.SizeLog2) / CapabilitySlot.Bytes
            ? table.Object + (inner * CapabilitySlot.Bytes)
            : 0;
    }

    /// <summary>Looks at a slot that EL0 named. Only with <see cref="Status.Ok"/> may the object be touched.</summary>
    /// <param name="slot">Physical address of the slot.</param>
    public readonly Status Decode<TMachine>(ulong name, CapabilityKind kind, CapabilityRights rights, out ulong slot, out Capability capability)
        where TMachine : struct, IMachine
    {
        capability = default;
        slot = Find<TMachine>(name);
        if (slot == 0)
        {
            return Status.BadCapability;
        }

        Capability found = TMachine.At<CapabilitySlot>(slot).Capability;
        if (found.Kind != kind || kind == CapabilityKind.None)
        {
            return Status.BadCapability;
        }

        if ((found.Rights & rights) != rights || rights == CapabilityRights.None)
        {
            return Status.Denied;
        }

        capability = found;
        return Status.Ok;
    }

    /// <summary>Whether the component holds a capability that needs no slot in the call.</summary>
    public readonly bool MayUse(CapabilityKind kind) => (Uses & (1u << (int)kind)) != 0;

    /// <summary>Puts a capability that is derived from none into an empty slot of the component's own table.</summary>
    public Status Insert<TMachine>(uint index, Capability capability, ulong badge) where TMachine : struct, IMachine
    {
        Status status = FindEmpty<TMachine>(index, out ulong slot);
        if (status == Status.Ok)
        {
            TMachine.At<CapabilitySlot>(slot) = new CapabilitySlot { Word = capability.Value, Badge = badge };
            if ((capability.Rights & CapabilityRights.Use) != 0)
            {
                Uses |= 1u << (int)capability.Kind;
            }
        }

        return status;
    }

    public readonly Status FindEmpty<TMachine>(ulong name, out ulong slot) where TMachine : struct, IMachine
    {
        slot = Find<TMachine>(name);
        return slot == 0 ? Status.BadArgument : TMachine.At<CapabilitySlot>(slot).IsEmpty ? Status.Ok : Status.BadState;
    }
}
