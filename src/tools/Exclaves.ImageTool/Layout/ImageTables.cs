using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;

namespace Exclaves.ImageTool.Layout;

/// <summary>The tables of an image, as SPTM and SK find them.</summary>
public sealed record ImageTables(ImageHeader Header, string BootArguments, ComponentEntry[] Components, ServiceEntry[] Services)
{
    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static ImageTables Read(string file)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read);
            return Read(file, stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(file, "", error is FileNotFoundException or DirectoryNotFoundException ? "is missing." : error.Message);
        }
    }

    private static ImageTables Read(string file, FileStream stream)
    {
        ImageHeader header = Read<ImageHeader>(file, stream, Virt.ImageHeaderBase, 1)[0];
        if (header.Magic != ImageHeader.MagicValue || header.Version != ImageHeader.CurrentVersion)
        {
            throw new ImageToolException(file, "", "is not an Exclaves image of this version.");
        }

        if (header.ComponentCount > SystemReader.MaxComponents || header.ServiceCount > SystemReader.MaxServices)
        {
            throw new ImageToolException(file, "header", "has tables longer than the system allows.");
        }

        byte[] arguments = Read<byte>(file, stream, header.BootArguments, (int)Math.Min(header.BootArgumentBytes, ImageBuilder.MaxBootArgumentBytes));
        return new ImageTables(
            header,
            Encoding.ASCII.GetString(arguments),
            Read<ComponentEntry>(file, stream, header.Components, (int)header.ComponentCount),
            Read<ServiceEntry>(file, stream, header.Services, (int)header.ServiceCount));
    }

    private static T[] Read<T>(string file, FileStream stream, ulong address, int count)
        where T : unmanaged
    {
        ulong bytes = (ulong)count * (ulong)Unsafe.SizeOf<T>();
        if (address < Virt.ImageBase || address - Virt.ImageBase + bytes > (ulong)stream.Length)
        {
            throw new ImageToolException(file, "", "is not an Exclaves image, or cut off.");
        }

        T[] items = new T[count];
        stream.Position = (long)(address - Virt.ImageBase);
        stream.ReadExactly(MemoryMarshal.AsBytes(items.AsSpan()));
        return items;
    }
}
