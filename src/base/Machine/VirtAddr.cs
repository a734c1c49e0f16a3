using Exclaves.Abi;

namespace Exclaves.Machine;

/// <summary>An address as a program uses it, before stage 1.</summary>
/// <remarks>Canonical: the bits above <see cref="Bits"/> repeat. Says nothing about being mapped.</remarks>
public readonly struct VirtAddr
{
    public const int Bits = 48;

    private readonly ulong _value;

    private VirtAddr(ulong value) => _value = value;

    public ulong Value => _value;

    public bool IsPageAligned => (_value & FrameIndex.OffsetMask) == 0;

    public ulong PageOffset => _value & FrameIndex.OffsetMask;

    /// <summary>In the upper range, which TTBR1 translates.</summary>
    public bool IsUpper => _value >> 63 != 0;

    /// <summary>Accepts <paramref name="raw"/> only if it is canonical.</summary>
    public static Status TryFrom(ulong raw, out VirtAddr address)
    {
        bool ok = raw >> Bits is 0 or 0xFFFF;
        address = ok ? new VirtAddr(raw) : default;
        return ok ? Status.Ok : Status.BadAddress;
    }

    /// <summary>For numbers that our own code computed. An outside number goes through <see cref="TryFrom"/>.</summary>
    public static VirtAddr FromTrusted(ulong value) => new(value);

    /// <summary>Wraps as the machine's adder does; the caller has bounded <paramref name="bytes"/>.</summary>
    public VirtAddr Plus(ulong bytes) => new(_value + bytes);

    public static bool operator ==(VirtAddr left, VirtAddr right) => left._value == right._value;

    public static bool operator !=(VirtAddr left, VirtAddr right) => left._value != right._value;

    public override bool Equals(object? obj) => obj is VirtAddr other && other == this;

    public override int GetHashCode() => (int)_value;
}
