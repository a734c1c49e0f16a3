using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Whether a manifest says what a manifest must: every byte of the secure image belongs to exactly one part.</summary>
/// <remarks>Its signature is good by then; a manifest that breaks a rule is its signer's mistake, and refused all the same.</remarks>
public static class ManifestCheck
{
    private const ulong Page = FrameTable.PageBytes;

    public static bool IsSound(ReadOnlySpan<byte> place)
    {
        if (place.Length != ImageManifest.SignedBytes)
        {
            return false;
        }

        ref readonly ImageManifest manifest = ref MemoryMarshal.AsRef<ImageManifest>(place);
        return manifest.Magic == ImageManifest.MagicValue
            && manifest.Version == ImageManifest.CurrentVersion
            && manifest.Signer is SignerKind.Production or SignerKind.Debug
            && manifest.PartCount is > 0 and <= ImageManifest.MaxParts
            && manifest.BootArgumentBytes <= ImageManifest.MaxBootArgumentBytes
            && manifest.BootArgumentBytes == manifest.Header.BootArgumentBytes
            && IsZero(place[Unsafe.SizeOf<ImageManifest>()..])
            && Tile(manifest);
    }

    /// <summary>Parts lie one after the other, in whole pages, each of the fixed ones once and where it belongs.</summary>
    private static bool Tile(in ImageManifest manifest)
    {
        ReadOnlySpan<ManifestPart> parts = manifest.Parts;
        ulong next = Virt.SkBase;
        for (int i = 0; i < parts.Length; i++)
        {
            ref readonly ManifestPart part = ref parts[i];
            if (i >= (int)manifest.PartCount)
            {
                if (!IsZero(MemoryMarshal.AsBytes(parts[i..])))
                {
                    return false;
                }

                break;
            }

            next = next == Virt.ManifestBase ? Virt.ManifestBase + Virt.ManifestBytes : next;
            if (part.Base != next || part.Bytes == 0 || (part.Bytes & (Page - 1)) != 0 || part.Bytes > manifest.Header.SecureEnd
                || part.Reserved != 0 || !IsNamed(part) || !IsPlaced(part, i))
            {
                return false;
            }

            next += part.Bytes;
        }

        return next == manifest.Header.SecureEnd && manifest.PartCount > FixedParts;
    }

    /// <summary>SK, header, command line, TXM, tables; in this order.</summary>
    private const uint FixedParts = 5;

    private static bool IsPlaced(in ManifestPart part, int index) => index switch
    {
        0 => part.Kind == PartKind.SecureKernel && part.Bytes == Virt.SkSlotBytes,
        1 => part.Kind == PartKind.Header && part.Bytes == Page,
        2 => part.Kind == PartKind.BootArguments && part.Base == Virt.BootArgumentsBase && part.Bytes == Page,
        3 => part.Kind == PartKind.Txm && part.Base == Virt.TxmBase && part.Bytes == Virt.TxmSlotBytes,
        4 => part.Kind == PartKind.Tables && part.Base == Virt.TablesBase,
        _ => part.Kind is PartKind.Kit or PartKind.Component or PartKind.Conclave or PartKind.Padding,
    };

    /// <summary>Components have printable names that end; nothing else has one.</summary>
    private static bool IsNamed(in ManifestPart part)
    {
        ReadOnlySpan<byte> name = part.Name;
        int end = name.IndexOf((byte)0);
        if (end < 0 || !IsZero(name[end..]))
        {
            return false;
        }

        for (int i = 0; i < end; i++)
        {
            if (name[i] is <= 0x20 or >= 0x7F)
            {
                return false;
            }
        }

        return end != 0 == part.Kind is PartKind.Component or PartKind.Conclave;
    }

    /// <summary>Whether every byte is zero.</summary>
    public static bool IsZero(ReadOnlySpan<byte> bytes)
    {
        int words = bytes.Length & ~7;
        ReadOnlySpan<ulong> whole = MemoryMarshal.Cast<byte, ulong>(bytes[..words]);
        ulong all = 0;
        for (int i = 0; i < whole.Length; i++)
        {
            all |= whole[i];
        }

        for (int i = words; i < bytes.Length; i++)
        {
            all |= bytes[i];
        }

        return all == 0;
    }
}
