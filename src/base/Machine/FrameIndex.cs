namespace Exclaves.Machine;

/// <summary>The number of a 4 KiB frame: a physical address without its offset.</summary>
/// <remarks>Frame 0 holds no RAM on any machine we know, so zero is inert.</remarks>
public readonly struct FrameIndex
{
    public const int Shift = 12;
    public const ulong FrameBytes = 1ul << Shift;
    public const ulong OffsetMask = FrameBytes - 1;

    private readonly uint _value;

    private FrameIndex(uint value) => _value = value;

    public uint Value => _value;

    public PhysAddr Base => PhysAddr.FromTrusted((ulong)_value << Shift);

    public static FrameIndex Containing(PhysAddr address) => new((uint)(address.Value >> Shift));

    public FrameIndex Plus(uint frames) => new(_value + frames);

    public static bool operator ==(FrameIndex left, FrameIndex right) => left._value == right._value;

    public static bool operator !=(FrameIndex left, FrameIndex right) => left._value != right._value;

    public override bool Equals(object? obj) => obj is FrameIndex other && other == this;

    public override int GetHashCode() => (int)_value;
}
