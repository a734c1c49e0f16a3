using System;
using System.Runtime.CompilerServices;

namespace Exclaves.ExclaveKit;

/// <summary>What a file descriptor stands for. There are no files: only what the runtime cannot do without.</summary>
public enum PseudoFileKind : uint
{
    /// <summary>The descriptor is not open.</summary>
    None = 0,

    /// <summary>Standard input: always at its end.</summary>
    Empty = 1,

    /// <summary>Standard output and error: lines of log.</summary>
    Log = 2,

    /// <summary>/dev/urandom.</summary>
    Random = 3,

    /// <summary>/proc/self/maps, with one line: the main thread's stack, which the C library asks for.</summary>
    Maps = 4,
    PipeReader = 5,
    PipeWriter = 6,
}

/// <summary>An open descriptor.</summary>
public struct PseudoFile
{
    public PseudoFileKind Kind;

    /// <summary>Of standard error.</summary>
    public const uint ErrorOutput = 1;

    /// <summary>Maps: bytes read so far. Pipes: index. Log: 0, or <see cref="ErrorOutput"/>; a duplicate is the same.</summary>
    public uint Position;

    /// <summary>O_NONBLOCK was asked for.</summary>
    public bool NonBlocking;

    /// <summary>Which file an absolute path names; None when there is no such file.</summary>
    public static PseudoFileKind KindOf(ReadOnlySpan<byte> path)
    {
        if (path.SequenceEqual("/dev/urandom"u8) || path.SequenceEqual("/dev/random"u8)) { return PseudoFileKind.Random; }

        return path.SequenceEqual("/proc/self/maps"u8) ? PseudoFileKind.Maps : PseudoFileKind.None;
    }

    /// <summary>The line that describes the main thread's stack. Answers its length.</summary>
    public static int WriteMaps(Span<byte> line, ulong start, ulong end)
    {
        int length = PutHex(line, 0, start);
        line[length++] = (byte)'-';
        length = PutHex(line, length, end);
        ReadOnlySpan<byte> rest = " rw-p 00000000 00:00 0                          [stack]\n"u8;
        rest.CopyTo(line[length..]);
        return length + rest.Length;
    }

    private static int PutHex(Span<byte> line, int at, ulong value)
    {
        for (int shift = 44; shift >= 0; shift -= 4) { line[at++] = "0123456789abcdef"u8[(int)(value >> shift) & 15]; }

        return at;
    }
}

[InlineArray(PseudoFileTable.Capacity)]
public struct PseudoFileTable
{
    public const int Capacity = 16;
    private PseudoFile _first;
}
