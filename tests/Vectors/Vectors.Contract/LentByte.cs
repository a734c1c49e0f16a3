namespace Exclaves.Vectors;

/// <summary>What <see cref="IVectors.Transform"/> makes of a byte: another one at each place, so that a page that is missing, twice or elsewhere is seen.</summary>
public static class LentByte
{
    public static byte Of(byte value, int index) => unchecked((byte)((value * 31) + index + (index >> 8) + (index >> 16)));
}
