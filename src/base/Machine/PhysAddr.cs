using Exclaves.Abi;

namespace Exclaves.Machine;

/// <summary>A byte address in machine memory, after every stage of translation.</summary>
/// <remarks>Fits in <see cref="Bits"/>; only <see cref="TryFrom"/> admits an outside number. Zero is never a frame of RAM.</remarks>
public readonly struct PhysAddr
{
    public const int Bits = 40;

    private readonly ulong _value;

    private PhysAddr(ulong value) => _value = value;

    public ulong Value => _value;

    public bool IsPageAligned => (_value & FrameIndex.OffsetMask) == 0;

    public ulong PageOffset => _value & FrameIndex.OffsetMask;

    public FrameIndex Frame => FrameIndex.Containing(this);

    /// <summary>Accepts <paramref name="raw"/> only if it fits the machine.</summary>
    public static Status TryFrom(ulong raw, out PhysAddr address)
    {
        bool ok = raw >> Bits == 0;
        address = ok ? new PhysAddr(raw) : default;
        return ok ? Status.Ok : Status.BadAddress;
    }

    /// <summary>For numbers that our own code computed. An outside number goes through <see cref="TryFrom"/>.</summary>
    public static PhysAddr FromTrusted(ulong value) => new(value);

    /// <summary>Wraps as the machine's adder does; the caller has bounded <paramref name="bytes"/>.</summary>
    public PhysAddr Plus(ulong bytes) => new(_value + bytes);

    public static bool operator ==(PhysAddr left, PhysAddr right) => left._value == right._value;

    public static bool operator !=(PhysAddr left, PhysAddr right) => left._value != right._value;

    public override bool Equals(object? obj) => obj is PhysAddr other && other == this;

    public override int GetHashCode() => (int)_value;
}
