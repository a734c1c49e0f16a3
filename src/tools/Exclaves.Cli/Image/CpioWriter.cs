using System;
using System.IO;
using System.Text;

namespace Exclaves.Cli.Image;

/// <summary>Writes a cpio archive in the "newc" format, which Linux unpacks at boot.</summary>
/// <remarks>Equal calls give equal bytes: inode numbers count up, times are zero, everything belongs to root.</remarks>
public sealed class CpioWriter : IDisposable
{
    private const uint DirectoryType = 0x4000;
    private const uint FileType = 0x8000;
    private const uint LinkType = 0xA000;
    private const uint CharacterDeviceType = 0x2000;
    private const uint Alignment = 4;

    private readonly Stream _stream;
    private uint _inode;
    private long _written;

    /// <param name="stream">Stays open; archives may follow each other in it.</param>
    public CpioWriter(Stream stream)
    {
        _stream = stream;
    }

    public void AddDirectory(string name, uint mode = 0x1ED) => Add(name, DirectoryType | mode, []);

    public void AddFile(string name, ReadOnlySpan<byte> content, bool isExecutable = false) =>
        Add(name, FileType | (isExecutable ? 0x1EDu : 0x1A4u), content);

    public void AddLink(string name, string target) => Add(name, LinkType | 0x1FF, Encoding.UTF8.GetBytes(target));

    public void AddCharacterDevice(string name, uint major, uint minor) => Add(name, CharacterDeviceType | 0x180, [], major, minor);

    /// <summary>Ends the archive.</summary>
    public void Dispose() => Add("TRAILER!!!", 0, []);

    private void Add(string name, uint mode, ReadOnlySpan<byte> content, uint deviceMajor = 0, uint deviceMinor = 0)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name + "\0");

        // magic, inode, mode, uid, gid, links, mtime, size, device (2), device node (2), name size, check
        string header = $"070701{++_inode:X8}{mode:X8}{0:X8}{0:X8}{1:X8}{0:X8}{content.Length:X8}{0:X8}{0:X8}"
            + $"{deviceMajor:X8}{deviceMinor:X8}{nameBytes.Length:X8}{0:X8}";
        Write(Encoding.ASCII.GetBytes(header));
        Write(nameBytes);
        Pad();
        Write(content);
        Pad();
    }

    private void Pad()
    {
        int missing = (int)(-_written & (Alignment - 1));
        Write(stackalloc byte[missing]);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _written += bytes.Length;
    }
}
