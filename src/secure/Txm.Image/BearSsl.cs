using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Txm.Image;

/// <summary>BearSSL's SHA-256 and ECDSA on P-256 (bearssl_hash.h, bearssl_ec.h): no heap, constant time.</summary>
public readonly unsafe struct BearSsl : ICryptography
{
    /// <summary>BR_EC_secp256r1, the number that TLS has for it.</summary>
    private const int Secp256r1 = 23;

    private const byte Uncompressed = 4;

    /// <summary>br_sha256_context: 112 bytes, and it holds pointers.</summary>
    [InlineArray(14)]
    private struct HashContext
    {
        private ulong _first;
    }

    [InlineArray(1 + PublicKey.Bytes)]
    private struct EncodedPoint
    {
        private byte _first;
    }

    /// <summary>br_ec_public_key.</summary>
    private struct EcPublicKey
    {
        public int Curve;
        public byte* Point;
        public nuint PointBytes;
    }

    public static void Hash(ReadOnlySpan<byte> data, out Digest digest)
    {
        HashContext context = default;
        Digest result = default;

        // SAFETY: context and result live on this stack until the library has returned; data is one readable range.
        unsafe
        {
            Sha256Init(&context);
            Sha256Update(&context, ref System.Runtime.InteropServices.MemoryMarshal.GetReference(data), (nuint)data.Length);
            Sha256Out(&context, &result);
        }

        digest = result;
    }

    public static bool Verify(in PublicKey key, in Digest digest, ReadOnlySpan<byte> signature)
    {
        EncodedPoint point = default;
        Span<byte> encoded = point;
        encoded[0] = Uncompressed;
        ((ReadOnlySpan<byte>)key).CopyTo(encoded[1..]);
        Digest hash = digest;

        // SAFETY: point and hash live on this stack until the library has returned.
        unsafe
        {
            EcPublicKey bear = new() { Curve = Secp256r1, Point = (byte*)&point, PointBytes = 1 + PublicKey.Bytes };
            return VerifyRaw(
                P256(), &hash, Digest.Bytes, &bear, ref System.Runtime.InteropServices.MemoryMarshal.GetReference(signature), (nuint)signature.Length) == 1;
        }
    }

    [RuntimeImport("*", "br_sha256_init")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Sha256Init(HashContext* context);

    /// <summary>br_sha256_update is a macro for this one.</summary>
    [RuntimeImport("*", "br_sha224_update")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Sha256Update(HashContext* context, ref byte data, nuint bytes);

    [RuntimeImport("*", "br_sha256_out")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Sha256Out(HashContext* context, Digest* output);

    [RuntimeImport("*", "txm_p256")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void* P256();

    [RuntimeImport("*", "br_ecdsa_i31_vrfy_raw")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern uint VerifyRaw(void* implementation, Digest* hash, nuint hashBytes, EcPublicKey* key, ref byte signature, nuint signatureBytes);
}
