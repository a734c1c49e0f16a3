using System.Numerics;

namespace Exclaves.Abi;

/// <summary>What Hello computes, so that a client can check the answer.</summary>
public static class HelloTransform
{
    public const int Bytes = 64;
    private const ulong Constant = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The little-endian word at <paramref name="index"/> (in words) of the input gives the same word of the output.</summary>
    public static ulong Word(ulong input, int index) =>
        BitOperations.RotateLeft(input, 7 + index) ^ Constant ^ ((ulong)index << 32);

    /// <summary>A sum that takes time in proportion to <paramref name="rounds"/> and cannot be guessed from it.</summary>
    public static ulong Spin(ulong rounds)
    {
        ulong sum = Constant;
        for (ulong i = 0; i < rounds; i++)
        {
            sum = (BitOperations.RotateLeft(sum, 13) ^ i) + Constant;
        }

        return sum;
    }
}
