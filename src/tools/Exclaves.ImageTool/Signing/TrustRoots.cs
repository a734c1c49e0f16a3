using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Signing;

/// <summary>The slot in SPTM's image that says whom it believes.</summary>
public static class TrustRoots
{
    /// <summary>Whether the monitor reserves the slot: its magic is assembled in.</summary>
    public static bool HasSlot(ReadOnlySpan<byte> sptm) =>
        sptm.Length >= TrustRoot.Offset + TrustRoot.SlotBytes
        && MemoryMarshal.Read<ulong>(sptm[TrustRoot.Offset..]) == TrustRoot.MagicValue;

    /// <summary>Makes <paramref name="key"/> the only one that counts. A production monitor knows no debug key at all.</summary>
    public static void Enroll(ref TrustRoot root, SigningKey key)
    {
        root.Production = key.Kind == SignerKind.Production ? key.Public : default;
        root.Debug = key.Kind == SignerKind.Debug ? key.Public : default;
        root.Flags = key.Kind == SignerKind.Production ? TrustFlags.Production : TrustFlags.None;
    }

    /// <summary>The key for a kind of signer; all zero when there is none.</summary>
    public static PublicKey KeyFor(in TrustRoot root, SignerKind signer) => signer switch
    {
        SignerKind.Production => root.Production,
        SignerKind.Debug when (root.Flags & TrustFlags.Production) == 0 => root.Debug,
        _ => default,
    };

    public static bool Accepts(in TrustRoot root, SigningKey key)
    {
        PublicKey trusted = KeyFor(root, key.Kind);
        PublicKey own = key.Public;
        return ((ReadOnlySpan<byte>)trusted).SequenceEqual(own);
    }
}
