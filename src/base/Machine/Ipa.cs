using Exclaves.Abi;

namespace Exclaves.Machine;

/// <summary>An intermediate physical address: what a guest of stage 2 calls physical.</summary>
/// <remarks>Fits in <see cref="Bits"/>. Stage 2 here is an identity or nothing, so the conversion has a name of its own.</remarks>
public readonly struct Ipa
{
    public const int Bits = 40;

    private readonly ulong _value;

    private Ipa(ulong value) => _value = value;

    public ulong Value => _value;

    public bool IsPageAligned => (_value & FrameIndex.OffsetMask) == 0;

    public ulong PageOffset => _value & FrameIndex.OffsetMask;

    /// <summary>The machine address that the identity stage 2 maps this to, if it maps it at all.</summary>
    public PhysAddr ToPhysicalIdentity() => PhysAddr.FromTrusted(_value);

    public static Ipa FromPhysicalIdentity(PhysAddr address) => new(address.Value);

    /// <summary>Accepts <paramref name="raw"/> only if stage 2 can translate it.</summary>
    public static Status TryFrom(ulong raw, out Ipa address)
    {
        bool ok = raw >> Bits == 0;
        address = ok ? new Ipa(raw) : default;
        return ok ? Status.Ok : Status.BadAddress;
    }

    /// <summary>For numbers that our own code computed. An outside number goes through <see cref="TryFrom"/>.</summary>
    public static Ipa FromTrusted(ulong value) => new(value);

    /// <summary>Wraps as the machine's adder does; the caller has bounded <paramref name="bytes"/>.</summary>
    public Ipa Plus(ulong bytes) => new(_value + bytes);

    public static bool operator ==(Ipa left, Ipa right) => left._value == right._value;

    public static bool operator !=(Ipa left, Ipa right) => left._value != right._value;

    public override bool Equals(object? obj) => obj is Ipa other && other == this;

    public override int GetHashCode() => (int)_value;
}
