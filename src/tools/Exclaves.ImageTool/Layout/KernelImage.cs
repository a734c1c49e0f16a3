using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;

namespace Exclaves.ImageTool.Layout;

/// <summary>The arm64 `Image` header (Linux, Documentation/arm64/booting.rst).</summary>
public static class Arm64Image
{
    public const int HeaderBytes = 64;

    private const int TextOffsetAt = 8;
    private const int SizeAt = 16;
    private const int FlagsAt = 24;
    private const int MagicAt = 56;
    private const ulong BigEndianFlag = 1;

    public static bool HasMagic(ReadOnlySpan<byte> image) =>
        image.Length >= HeaderBytes && image[MagicAt..(MagicAt + 4)].SequenceEqual("ARMd"u8);

    public static ulong TextOffset(ReadOnlySpan<byte> image) => BinaryPrimitives.ReadUInt64LittleEndian(image[TextOffsetAt..]);

    /// <summary>Bytes of memory that the image occupies, its bss included.</summary>
    public static ulong Size(ReadOnlySpan<byte> image) => BinaryPrimitives.ReadUInt64LittleEndian(image[SizeAt..]);

    public static void SetSize(Span<byte> image, ulong bytes) => BinaryPrimitives.WriteUInt64LittleEndian(image[SizeAt..], bytes);

    public static bool IsBigEndian(ReadOnlySpan<byte> image) =>
        (BinaryPrimitives.ReadUInt64LittleEndian(image[FlagsAt..]) & BigEndianFlag) != 0;
}

/// <summary>Linux's kernel, unpacked and checked.</summary>
public sealed class KernelImage
{
    private KernelImage(byte[] content)
    {
        Content = content;
        MemoryBytes = Math.Max(Arm64Image.Size(content), (ulong)content.Length);
    }

    public byte[] Content { get; }

    /// <summary>What it needs from its first byte on; more than the content, for its bss.</summary>
    public ulong MemoryBytes { get; }

    /// <exception cref="ImageToolException">Not a kernel that can be booted here.</exception>
    public static KernelImage Read(string file)
    {
        byte[] content = InputFile.Read(file);
        if (content.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            content = Unpack(file, content);
        }

        if (!Arm64Image.HasMagic(content))
        {
            throw new ImageToolException(file, "", "is not an arm64 kernel Image (no magic at offset 56).");
        }

        if (Arm64Image.IsBigEndian(content))
        {
            throw new ImageToolException(file, "", "is a big-endian kernel.");
        }

        if (Arm64Image.Size(content) == 0 || Arm64Image.TextOffset(content) != 0)
        {
            throw new ImageToolException(file, "", "is a kernel from before 5.8, whose header states no place (image_size 0 or text_offset not 0).");
        }

        return new KernelImage(content);
    }

    private static byte[] Unpack(string file, byte[] packed)
    {
        try
        {
            using GZipStream stream = new(new MemoryStream(packed), CompressionMode.Decompress);
            using MemoryStream content = new();
            stream.CopyTo(content);
            return content.ToArray();
        }
        catch (InvalidDataException error)
        {
            throw new ImageToolException(file, "", "starts like a gzip file but cannot be unpacked: " + error.Message);
        }
    }
}
