namespace Exclaves.Machine;

/// <summary>Rounding to powers of two.</summary>
public static class Align
{
    public static ulong Down(ulong value, ulong alignment) => value & ~(alignment - 1);

    /// <summary>Wraps to a small number when <paramref name="value"/> is within one alignment of the end of the range: bound it first.</summary>
    public static ulong Up(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);

    public static bool IsAligned(ulong value, ulong alignment) => (value & (alignment - 1)) == 0;

    public static ulong Pages(ulong bytes) => (bytes >> FrameIndex.Shift) + ((bytes & FrameIndex.OffsetMask) == 0 ? 0ul : 1ul);
}
