using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Tests;

/// <summary>Makes small ELF files, correct unless told otherwise.</summary>
internal sealed class ElfWriter
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;

    private readonly List<(uint Type, ulong Address, byte[] Content, ulong MemoryBytes, uint Flags)> _segments = [];
    private readonly List<(string Name, ulong Value)> _symbols = [];

    /// <summary>2 = linked at its address, 3 = position independent.</summary>
    public ushort Type { get; set; } = 2;

    public ushort Machine { get; set; } = 183;

    public byte Class { get; set; } = 2;

    public ulong Entry { get; set; }

    public ElfWriter Load(ulong address, int bytes, MemoryAccess access, ulong memoryBytes = 0, byte fill = 0xC5)
    {
        byte[] content = new byte[bytes];
        Array.Fill(content, fill);
        uint flags = ((access & MemoryAccess.Read) != 0 ? 4u : 0) | ((access & MemoryAccess.Write) != 0 ? 2u : 0) | ((access & MemoryAccess.Execute) != 0 ? 1u : 0);
        _segments.Add((1, address, content, memoryBytes == 0 ? (ulong)bytes : memoryBytes, flags));
        return this;
    }

    public ElfWriter Interpreter()
    {
        _segments.Add((3, 0, "/lib/ld.so\0"u8.ToArray(), 11, 4));
        return this;
    }

    public ElfWriter Symbol(string name, ulong value)
    {
        _symbols.Add((name, value));
        return this;
    }

    public byte[] ToArray()
    {
        using MemoryStream stream = new();
        int next = HeaderBytes + (_segments.Count * ProgramHeaderBytes);
        byte[] head = new byte[next];
        "\u007fELF"u8.CopyTo(head);
        head[4] = Class;
        head[5] = 1;
        Put16(head, 16, Type);
        Put16(head, 18, Machine);
        Put64(head, 24, Entry);
        Put64(head, 32, HeaderBytes);
        Put16(head, 54, ProgramHeaderBytes);
        Put16(head, 56, (ushort)_segments.Count);
        for (int i = 0; i < _segments.Count; i++)
        {
            (uint type, ulong address, byte[] content, ulong memory, uint flags) = _segments[i];
            int at = HeaderBytes + (i * ProgramHeaderBytes);
            Put32(head, at, type);
            Put32(head, at + 4, flags);
            Put64(head, at + 8, (ulong)next);
            Put64(head, at + 16, address);
            Put64(head, at + 32, (ulong)content.Length);
            Put64(head, at + 40, memory);
            next += content.Length;
        }

        stream.Write(head);
        foreach ((_, _, byte[] content, _, _) in _segments)
        {
            stream.Write(content);
        }

        if (_symbols.Count > 0)
        {
            AppendSymbols(stream);
        }

        return stream.ToArray();
    }

    /// <summary>As <see cref="ToArray"/>, but the first segment starts with the ELF header, as linkers do it for static-pie.</summary>
    public byte[] ToArrayWithLoadedHeader()
    {
        byte[] file = ToArray();
        Put64(file, HeaderBytes + 8, 0);
        return file;
    }

    private void AppendSymbols(MemoryStream stream)
    {
        // Sections: 0 none, 1 symbols, 2 their names.
        StringBuilder names = new("\0");
        byte[] symbols = new byte[(_symbols.Count + 1) * 24];
        for (int i = 0; i < _symbols.Count; i++)
        {
            Put32(symbols, (i + 1) * 24, (uint)names.Length);
            Put64(symbols, ((i + 1) * 24) + 8, _symbols[i].Value);
            names.Append(_symbols[i].Name).Append('\0');
        }

        ulong symbolsAt = (ulong)stream.Position;
        stream.Write(symbols);
        ulong namesAt = (ulong)stream.Position;
        byte[] nameBytes = Encoding.ASCII.GetBytes(names.ToString());
        stream.Write(nameBytes);
        ulong sectionsAt = (ulong)stream.Position;
        byte[] sections = new byte[3 * 64];
        Put32(sections, 64 + 4, 2);
        Put64(sections, 64 + 24, symbolsAt);
        Put64(sections, 64 + 32, (ulong)symbols.Length);
        Put32(sections, 64 + 40, 2);
        Put32(sections, 128 + 4, 3);
        Put64(sections, 128 + 24, namesAt);
        Put64(sections, 128 + 32, (ulong)nameBytes.Length);
        stream.Write(sections);
        byte[] word = new byte[8];
        Put64(word, 0, sectionsAt);
        stream.Position = 40;
        stream.Write(word);
        Put16(word, 0, 3);
        stream.Position = 60;
        stream.Write(word, 0, 2);
    }

    private static void Put16(byte[] bytes, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);

    private static void Put32(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static void Put64(byte[] bytes, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);
}
