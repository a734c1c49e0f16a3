using System;
using System.Runtime.CompilerServices;

namespace Exclaves.ExclaveKit;

[InlineArray(Pipe.Capacity)]
public struct PipeBytes
{
    private byte _first;
}

/// <summary>Bytes between threads of one conclave, first in, first out.</summary>
public struct Pipe
{
    public const int Capacity = 512;

    private PipeBytes _bytes;
    private int _start;

    public bool ReaderOpen;
    public bool WriterOpen;

    public int Length { readonly get; private set; }

    public readonly bool IsFree => !ReaderOpen && !WriterOpen;

    /// <summary>Takes as much as fits; answers how much.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        int bytes = Math.Min(source.Length, Capacity - Length);
        for (int i = 0; i < bytes; i++) { _bytes[(_start + Length + i) % Capacity] = source[i]; }

        Length += bytes;
        return bytes;
    }

    public int Read(Span<byte> destination)
    {
        int bytes = Math.Min(destination.Length, Length);
        for (int i = 0; i < bytes; i++) { destination[i] = _bytes[(_start + i) % Capacity]; }

        _start = (_start + bytes) % Capacity;
        Length -= bytes;
        return bytes;
    }
}

[InlineArray(PipeTable.Capacity)]
public struct PipeTable
{
    public const int Capacity = 4;
    private Pipe _first;
}
