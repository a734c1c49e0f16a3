using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Header and kernel command line lie in the image twice, in their own pages and in the manifest: Linux boots by the copy that is whole.</summary>
/// <remarks>
/// Nothing is verified yet when this is asked, and nothing secure depends on the answer: a copy that differs from the other makes
/// secure boot refuse the image, and then the answer serves Linux alone.
/// </remarks>
public static class BootCopies<TMemory, TBlocks>
    where TMemory : struct, IImageMemory
    where TBlocks : struct, ISha256Blocks
{
    /// <summary>The header to lay out the machine by, checked by <see cref="ImageCheck.TryPlan"/>.</summary>
    public static bool TryChoose(ulong ramBytes, out ImageHeader header, out ImagePlan plan, out ReadOnlySpan<byte> rule)
    {
        ReadOnlySpan<byte> page = TMemory.At(Virt.ImageHeaderBase, FrameTable.PageBytes);
        ref readonly ImageManifest manifest = ref Manifest;
        bool isPageWhole = IsWhole(page, PartKind.Header, 1);
        header = isPageWhole ? MemoryMarshal.Read<ImageHeader>(page) : manifest.Header;
        if (ImageCheck.TryPlan(header, ramBytes, out plan, out rule))
        {
            return true;
        }

        header = isPageWhole ? manifest.Header : MemoryMarshal.Read<ImageHeader>(page);
        return ImageCheck.TryPlan(header, ramBytes, out plan, out _);
    }

    /// <summary>The kernel command line.</summary>
    public static ReadOnlySpan<byte> BootArguments(in ImageHeader header)
    {
        ReadOnlySpan<byte> page = TMemory.At(Virt.BootArgumentsBase, FrameTable.PageBytes);
        uint bytes = header.BootArgumentBytes < ImageManifest.MaxBootArgumentBytes ? header.BootArgumentBytes : ImageManifest.MaxBootArgumentBytes;
        return IsWhole(page, PartKind.BootArguments, 2) ? page[..(int)bytes] : ((ReadOnlySpan<byte>)Manifest.BootArguments)[..(int)bytes];
    }

    private static ref readonly ImageManifest Manifest =>
        ref MemoryMarshal.AsRef<ImageManifest>(TMemory.At(Virt.ManifestBase, (ulong)Unsafe.SizeOf<ImageManifest>()));

    private static bool IsWhole(ReadOnlySpan<byte> page, PartKind kind, int index)
    {
        ref readonly ManifestPart part = ref Manifest.Parts[index];
        Sha256<TBlocks>.Hash(page, out Digest digest);
        return part.Kind == kind && ((ReadOnlySpan<byte>)digest).SequenceEqual(part.Digest);
    }
}
