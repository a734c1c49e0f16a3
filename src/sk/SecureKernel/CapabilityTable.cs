using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>The capabilities of one component, and the only place that says yes to one.</summary>
public struct CapabilityTable
{
    private CapabilityWords _words;
    private CapabilityWords _badges;

    /// <summary>Bit per <see cref="CapabilityKind"/> that some slot holds with the right Use.</summary>
    private uint _uses;

    /// <summary>Fills an empty slot; slot 0 stays empty for ever.</summary>
    public Status Insert(uint slot, CapabilityKind kind, CapabilityRights rights, uint generation, ulong target, ulong badge)
    {
        if (slot is 0 or >= Limits.Slots || kind == CapabilityKind.None || target >> Capability.ObjectBits != 0)
        {
            return Status.BadArgument;
        }

        if (_words[(int)slot] != 0)
        {
            return Status.BadState;
        }

        _words[(int)slot] = Capability.Create(kind, rights, generation, target, (int)slot).Value;
        _badges[(int)slot] = badge;
        if ((rights & CapabilityRights.Use) != 0)
        {
            _uses |= 1u << (int)kind;
        }

        return Status.Ok;
    }

    /// <summary>Looks at a slot that EL0 named. Only with <see cref="Status.Ok"/> may the object be touched; its generation is the object's to check.</summary>
    public readonly Status Decode(ulong slot, CapabilityKind kind, CapabilityRights rights, out Capability capability)
    {
        capability = default;
        if (slot is 0 or >= Limits.Slots)
        {
            return Status.BadCapability;
        }

        Capability found = new(_words[(int)slot]);
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

    public readonly bool IsEmpty(uint slot) => slot < Limits.Slots && _words[(int)slot] == 0;

    public readonly ulong Badge(Capability capability) => _badges[capability.BadgeIndex];

    /// <summary>Whether the component holds a capability that needs no slot in the call.</summary>
    public readonly bool MayUse(CapabilityKind kind) => (_uses & (1u << (int)kind)) != 0;
}
