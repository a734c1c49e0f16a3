using System;
using System.IO;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.ImageTool.Signing;

namespace Exclaves.Cli.Attacks;

/// <summary>Changes a finished image as somebody with the disk would.</summary>
public static class ImageChange
{
    private const byte Bit = 0x10;

    /// <summary>Turns one bit of the file over.</summary>
    public static void Flip(string path, ImagePlace place)
    {
        ulong address;
        using (ImageFile image = ImageFile.Open(path, FileAccess.Read))
        {
            address = AddressOf(image, place);
        }

        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = (long)(address - Virt.ImageBase);
        int before = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(before ^ Bit));
    }

    private static ulong AddressOf(ImageFile image, ImagePlace place) => place switch
    {
        ImagePlace.MonitorSlot => Virt.SptmBase + Virt.SptmSlotBytes - 1,
        ImagePlace.MonitorVariables => Virt.SptmBase + image.Root.MonitorBytes + 0x234,
        ImagePlace.KernelText => Virt.SkBase + 0x123,
        ImagePlace.KernelTextEnd => Virt.SkBase + (image.Manifest.Header.SkTextPages * UserLayout.PageBytes) - 1,
        ImagePlace.KernelSlot => Virt.SkBase + Virt.SkSlotBytes - 1,
        ImagePlace.Header => Virt.ImageHeaderBase + 0x30,
        ImagePlace.Manifest => Virt.ManifestBase + 0x40,
        ImagePlace.Signature => Virt.ManifestBase + ImageManifest.SignedBytes + 7,
        ImagePlace.Verifier => Virt.TxmBase + 0x1234,
        ImagePlace.Component => First(image, PartKind.Component).Base + 0x100,
        ImagePlace.ComponentEnd => End(First(image, PartKind.Component)) - 1,
        ImagePlace.ConclaveEnd => End(Last(image, PartKind.Conclave)) - 1,
        ImagePlace.Padding => First(image, PartKind.Padding).Base + 5,
        _ => throw new ArgumentOutOfRangeException(nameof(place), place, "no place of an image"),
    };

    private static ulong End(in ManifestPart part) => part.Base + part.Bytes;

    private static ManifestPart First(ImageFile image, PartKind kind) => Find(image, kind, 0, 1);

    private static ManifestPart Last(ImageFile image, PartKind kind) => Find(image, kind, (int)image.Manifest.PartCount - 1, -1);

    private static ManifestPart Find(ImageFile image, PartKind kind, int from, int step)
    {
        ImageManifest manifest = image.Manifest;
        for (int i = from; i >= 0 && i < (int)manifest.PartCount; i += step)
        {
            if (manifest.Parts[i].Kind == kind)
            {
                return manifest.Parts[i];
            }
        }

        throw new InvalidOperationException($"the image has no part of kind {kind}");
    }
}
