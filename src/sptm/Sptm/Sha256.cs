using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>SHA-256 (FIPS 180-4) over a range of memory: the padding; <typeparamref name="TBlocks"/> does the rest.</summary>
public static class Sha256<TBlocks>
    where TBlocks : struct, ISha256Blocks
{
    private const int BlockBytes = 64;
    private const int LengthBytes = 8;

    public static void Hash(ReadOnlySpan<byte> data, out Digest digest)
    {
        Span<uint> state = stackalloc uint[8];
        Start.CopyTo(state);
        int whole = data.Length & ~(BlockBytes - 1);
        if (whole != 0)
        {
            TBlocks.Compress(state, data[..whole]);
        }

        // What is left, a one bit, zeros, and the length in bits: one block, or two when the length does not fit the first.
        Span<byte> tail = stackalloc byte[2 * BlockBytes];
        tail.Clear();
        int left = data.Length - whole;
        data[whole..].CopyTo(tail);
        tail[left] = 0x80;
        int bytes = left + 1 + LengthBytes <= BlockBytes ? BlockBytes : 2 * BlockBytes;
        BinaryPrimitives.WriteUInt64BigEndian(tail[(bytes - LengthBytes)..], (ulong)data.Length * 8);
        TBlocks.Compress(state, tail[..bytes]);

        digest = default;
        Span<byte> output = digest;
        for (int i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(output[(i * 4)..], state[i]);
        }
    }

    /// <summary>What a TPM does to a register: it becomes the digest of itself and <paramref name="next"/>.</summary>
    public static void Extend(ref Digest register, in Digest next)
    {
        Span<byte> both = stackalloc byte[2 * Digest.Bytes];
        ((ReadOnlySpan<byte>)register).CopyTo(both);
        ((ReadOnlySpan<byte>)next).CopyTo(both[Digest.Bytes..]);
        Hash(both, out register);
    }

    /// <summary>The first 32 bits of the fractional parts of the square roots of the first eight primes.</summary>
    private static ReadOnlySpan<uint> Start => [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
}
