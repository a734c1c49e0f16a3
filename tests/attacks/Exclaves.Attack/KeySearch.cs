using System;
using System.Collections.Generic;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Exclaves.Attack;

/// <summary>What was found of a key pair in a piece of memory. Positions are offsets in bytes.</summary>
internal sealed record KeySearchResult(int PublicCopies, int Candidates, int? PrivateKeyAt)
{
    public override string ToString() =>
        $"public key found {PublicCopies} times, {(PrivateKeyAt is int at ? $"PRIVATE KEY at offset 0x{at:x}" : "private key not found")} ({Candidates} candidates)";
}

/// <summary>Looks for the two halves of a P-256 key pair in a memory dump.</summary>
/// <remarks>
/// The private half is recognised without knowing it: any 32 bytes that look random are a candidate, and the one whose multiple of the base
/// point is the public key is it. Both byte orders are tried: limbs as cryptographic libraries keep them, and bytes as encodings carry them.
/// </remarks>
internal static class KeySearch
{
    private const int KeyBytes = 32;
    private const int Step = sizeof(ulong);

    // Of 32 random bytes, 30 are different and 128 of the bits are set on average; these limits lose one key in a million.
    private const int FewestDifferentBytes = 23;
    private const int FewestBits = 88;
    private const int MostBits = 168;

    /// <param name="memory">What was read.</param>
    /// <param name="publicKey">SubjectPublicKeyInfo, DER: ends with the uncompressed point.</param>
    public static KeySearchResult Search(ReadOnlySpan<byte> memory, ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length < (2 * KeyBytes) + 1 || publicKey[^((2 * KeyBytes) + 1)] != 4)
        {
            throw new ArgumentException("the public key does not end with an uncompressed point of P-256", nameof(publicKey));
        }

        ReadOnlySpan<byte> encodedX = publicKey[^(2 * KeyBytes)..^KeyBytes];
        BigInteger x = new(encodedX, isUnsigned: true, isBigEndian: true);
        int copies = Count(memory, encodedX) + Count(memory, P256.MontgomeryBytes(x)) + Count(memory, Reverse(encodedX));

        P256? curve = null;
        HashSet<BigInteger> seen = [];
        for (int at = 0; at + KeyBytes <= memory.Length; at += Step)
        {
            ReadOnlySpan<byte> bytes = memory.Slice(at, KeyBytes);
            if (!LooksRandom(bytes))
            {
                continue;
            }

            foreach (byte[] form in (ReadOnlySpan<byte[]>)[bytes.ToArray(), Reverse(bytes)])
            {
                ReadOnlySpan<ulong> scalar = MemoryMarshal.Cast<byte, ulong>(form);
                if (P256.IsScalar(scalar) && seen.Add(new BigInteger(form, isUnsigned: true)) && (curve ??= new P256()).HasPublicX(scalar, x))
                {
                    return new KeySearchResult(copies, seen.Count, at);
                }
            }
        }

        return new KeySearchResult(copies, seen.Count, null);
    }

    private static bool LooksRandom(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> limbs = MemoryMarshal.Cast<byte, ulong>(bytes);
        int bits = 0;
        foreach (ulong limb in limbs)
        {
            bits += BitOperations.PopCount(limb);
        }

        if (bits is < FewestBits or > MostBits)
        {
            return false;
        }

        Int128 low = 0;
        Int128 high = 0;
        foreach (byte value in bytes)
        {
            if (value < 128)
            {
                low |= Int128.One << value;
            }
            else
            {
                high |= Int128.One << (value - 128);
            }
        }

        return Int128.PopCount(low) + Int128.PopCount(high) >= FewestDifferentBytes;
    }

    private static int Count(ReadOnlySpan<byte> memory, ReadOnlySpan<byte> wanted)
    {
        int count = 0;
        int at;
        while ((at = memory.IndexOf(wanted)) >= 0)
        {
            count++;
            memory = memory[(at + wanted.Length)..];
        }

        return count;
    }

    private static byte[] Reverse(ReadOnlySpan<byte> bytes)
    {
        byte[] reversed = bytes.ToArray();
        Array.Reverse(reversed);
        return reversed;
    }
}
