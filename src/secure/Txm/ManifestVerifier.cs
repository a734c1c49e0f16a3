using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Txm;

/// <summary>Who signed the manifest, if anybody.</summary>
public static class ManifestVerifier<TCryptography>
    where TCryptography : struct, ICryptography
{
    /// <summary>Where <see cref="ImageManifest.Signer"/> lies: all that is read of a manifest before its signature is good.</summary>
    public const int SignerOffset = 12;

    /// <param name="place">All of the manifest's place, the signature at its end.</param>
    /// <param name="digest">What the signature was checked against; zero when it came to no check.</param>
    public static TxmVerdict Verify(ReadOnlySpan<byte> place, in TxmRequest request, out Digest digest)
    {
        digest = default;
        if (request.Magic != TxmRequest.MagicValue || place.Length != (int)Virt.ManifestBytes)
        {
            return TxmVerdict.Malformed;
        }

        ReadOnlySpan<byte> block = place[ImageManifest.SignedBytes..];
        if (!IsZero(block[SignatureBlock.UsedBytes..]))
        {
            return TxmVerdict.Malformed;
        }

        SignerKind signer = (SignerKind)BinaryPrimitives.ReadUInt32LittleEndian(place[SignerOffset..]);
        if (signer == SignerKind.Debug && (request.Flags & TrustFlags.Production) != 0)
        {
            return TxmVerdict.DebugRefused;
        }

        PublicKey key = signer switch
        {
            SignerKind.Production => request.Production,
            SignerKind.Debug => request.Debug,
            _ => default,
        };
        if (IsZero(key))
        {
            return TxmVerdict.NoKey;
        }

        TCryptography.Hash(place[..ImageManifest.SignedBytes], out digest);
        return TCryptography.Verify(key, digest, block[..SignatureBlock.UsedBytes]) ? TxmVerdict.Verified : TxmVerdict.BadSignature;
    }

    private static bool IsZero(ReadOnlySpan<byte> bytes)
    {
        int all = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            all |= bytes[i];
        }

        return all == 0;
    }
}
