using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Elf;

/// <summary>A loadable segment as the program header states it.</summary>
public sealed record ElfSegment(ulong Address, ulong Offset, ulong FileBytes, ulong MemoryBytes, MemoryAccess Access);

/// <summary>A 64-bit little-endian AArch64 ELF file: header, program headers and symbols, every offset checked.</summary>
public sealed class ElfFile
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int SectionHeaderBytes = 64;
    private const int SymbolBytes = 24;
    private const ushort MachineAArch64 = 183;
    private const uint LoadType = 1;
    private const uint InterpreterType = 3;
    private const uint SymbolTableType = 2;

    private readonly byte[] _bytes;
    private readonly Dictionary<string, ulong> _symbols = new(StringComparer.Ordinal);

    private ElfFile(string name, byte[] bytes)
    {
        Name = name;
        _bytes = bytes;
        List<ElfSegment> segments = [];
        ReadHeader();
        ReadProgramHeaders(segments);
        Segments = segments;
        ReadSymbols();
    }

    public string Name { get; }

    public ElfType Type { get; private set; }

    public ulong Entry { get; private set; }

    public ulong ProgramHeaderOffset { get; private set; }

    public int ProgramHeaderCount { get; private set; }

    /// <summary>Asks for a dynamic loader, which nobody is here.</summary>
    public bool HasInterpreter { get; private set; }

    /// <summary>In ascending order of address, not overlapping.</summary>
    public IReadOnlyList<ElfSegment> Segments { get; }

    /// <exception cref="ImageToolException">The file is missing, cut off or of another kind.</exception>
    public static ElfFile Read(string path)
    {
        try
        {
            return new ElfFile(path, File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(path, "", error is FileNotFoundException or DirectoryNotFoundException
                ? "is missing. Build the solution first."
                : error.Message);
        }
    }

    /// <exception cref="ImageToolException">The bytes are cut off or of another kind.</exception>
    public static ElfFile Parse(string name, byte[] bytes) => new(name, bytes);

    public ReadOnlySpan<byte> Content(ElfSegment segment) => _bytes.AsSpan((int)segment.Offset, (int)segment.FileBytes);

    public bool TryGetSymbol(string name, out ulong value) => _symbols.TryGetValue(name, out value);

    private void ReadHeader()
    {
        Require(_bytes.Length >= HeaderBytes && _bytes.AsSpan(0, 4).SequenceEqual("\u007fELF"u8), "header", "is not an ELF file.");
        Require(_bytes[4] == 2 && _bytes[5] == 1, "header", "must be 64-bit little-endian.");
        Require(Word16(18) == MachineAArch64, "header", "must be for AArch64.");
        Type = (ElfType)Word16(16);
        Require(Type is ElfType.Executable or ElfType.Shared, "header", "must be an executable, linked.");
        Entry = Word64(24);
        ProgramHeaderOffset = Word64(32);
        ProgramHeaderCount = Word16(56);
        Require(Word16(54) == ProgramHeaderBytes || ProgramHeaderCount == 0, "header", "has program headers of an unknown size.");
        RequireRange(ProgramHeaderOffset, (ulong)ProgramHeaderCount * ProgramHeaderBytes, "header", "has program headers outside the file.");
    }

    private void ReadProgramHeaders(List<ElfSegment> segments)
    {
        for (int i = 0; i < ProgramHeaderCount; i++)
        {
            int at = (int)ProgramHeaderOffset + (i * ProgramHeaderBytes);
            uint type = Word32(at);
            HasInterpreter |= type == InterpreterType;
            ulong memory = Word64(at + 40);
            if (type != LoadType || memory == 0)
            {
                continue;
            }

            ElfSegment segment = new(Word64(at + 16), Word64(at + 8), Word64(at + 32), memory, AccessOf(Word32(at + 4)));
            string place = $"program header {i}";
            RequireRange(segment.Offset, segment.FileBytes, place, "has contents outside the file.");
            Require(segment.FileBytes <= segment.MemoryBytes, place, "holds more in the file than in memory.");
            Require(segment.MemoryBytes <= UserLayout.End && segment.Address <= ulong.MaxValue - segment.MemoryBytes, place, "is larger than an address space.");
            Require((segment.Access & (MemoryAccess.Write | MemoryAccess.Execute)) != (MemoryAccess.Write | MemoryAccess.Execute), place, "is writable and executable.");
            Require(segments.Count == 0 || segment.Address >= segments[^1].Address + segments[^1].MemoryBytes, place, "overlaps the one before or is out of order.");
            segments.Add(segment);
        }
    }

    private static MemoryAccess AccessOf(uint flags) =>
        ((flags & 4) != 0 ? MemoryAccess.Read : 0) | ((flags & 2) != 0 ? MemoryAccess.Write : 0) | ((flags & 1) != 0 ? MemoryAccess.Execute : 0);

    private void ReadSymbols()
    {
        ulong table = Word64(40);
        int count = Word16(60);
        if (table == 0 || count == 0)
        {
            return;
        }

        RequireRange(table, (ulong)count * SectionHeaderBytes, "header", "has section headers outside the file.");
        for (int i = 0; i < count; i++)
        {
            int at = (int)table + (i * SectionHeaderBytes);
            uint link = Word32(at + 40);
            if (Word32(at + 4) == SymbolTableType && link < count)
            {
                ReadSymbolTable(Word64(at + 24), Word64(at + 32), (int)table + ((int)link * SectionHeaderBytes));
            }
        }
    }

    private void ReadSymbolTable(ulong offset, ulong bytes, int strings)
    {
        ulong stringsOffset = Word64(strings + 24);
        ulong stringsBytes = Word64(strings + 32);
        RequireRange(offset, bytes, "symbol table", "lies outside the file.");
        RequireRange(stringsOffset, stringsBytes, "string table", "lies outside the file.");
        ReadOnlySpan<byte> names = _bytes.AsSpan((int)stringsOffset, (int)stringsBytes);
        for (int at = (int)offset; at + SymbolBytes <= (int)(offset + bytes); at += SymbolBytes)
        {
            uint name = Word32(at);
            if (name == 0 || name >= names.Length)
            {
                continue;
            }

            ReadOnlySpan<byte> rest = names[(int)name..];
            int end = rest.IndexOf((byte)0);
            if (end > 0)
            {
                _symbols.TryAdd(Encoding.UTF8.GetString(rest[..end]), Word64(at + 8));
            }
        }
    }

    private ushort Word16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at));

    private uint Word32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));

    private ulong Word64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(at));

    private void RequireRange(ulong offset, ulong bytes, string place, string rule) =>
        Require(offset <= (ulong)_bytes.Length && bytes <= (ulong)_bytes.Length - offset, place, rule);

    private void Require(bool holds, string place, string rule)
    {
        if (!holds)
        {
            throw new ImageToolException(Name, place, rule);
        }
    }
}

/// <summary>e_type: the two kinds that can be run.</summary>
public enum ElfType
{
    None = 0,
    Executable = 2,
    Shared = 3,
}
