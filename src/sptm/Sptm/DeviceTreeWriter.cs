using System;
using System.Buffers.Binary;

namespace Exclaves.Sptm;

/// <summary>Writes the structure block of a flattened device tree; remembers an overflow instead of failing in the middle.</summary>
public ref struct DeviceTreeWriter
{
    private readonly Span<byte> _output;
    private readonly uint _newStrings;
    private int _position;

    /// <param name="newStrings">Offset in the strings block where the names of the New... properties will lie.</param>
    public DeviceTreeWriter(Span<byte> output, uint newStrings)
    {
        _output = output;
        _newStrings = newStrings;
        _position = 0;
        Overflowed = false;
    }

    public readonly int Length => _position;

    public bool Overflowed { get; private set; }

    public void BeginNode(scoped ReadOnlySpan<byte> name)
    {
        Word((uint)DeviceTreeToken.BeginNode);
        Bytes(name, terminate: true);
    }

    /// <summary>Begins "name@address".</summary>
    public void BeginNode(scoped ReadOnlySpan<byte> name, ulong address)
    {
        const int MaximumName = 40;
        Span<byte> full = stackalloc byte[MaximumName];
        name.CopyTo(full);
        int length = name.Length;
        full[length++] = (byte)'@';
        bool started = false;
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            int digit = (int)(address >> shift) & 0xF;
            started |= digit != 0 || shift == 0;
            if (started)
            {
                full[length++] = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
            }
        }

        BeginNode(full[..length]);
    }

    public void EndNode() => Word((uint)DeviceTreeToken.EndNode);

    public void End() => Word((uint)DeviceTreeToken.End);

    public void Property(uint nameOffset, scoped ReadOnlySpan<byte> value)
    {
        BeginProperty(nameOffset, value.Length);
        Bytes(value, terminate: false);
    }

    public void NewEmpty(uint name) => BeginProperty(_newStrings + name, 0);

    public void NewWord(uint name, uint value)
    {
        BeginProperty(_newStrings + name, 4);
        Word(value);
    }

    public void NewWide(uint name, ulong value)
    {
        BeginProperty(_newStrings + name, 8);
        Wide(value);
    }

    public void NewRange(uint name, ulong start, ulong bytes)
    {
        BeginProperty(_newStrings + name, 16);
        Wide(start);
        Wide(bytes);
    }

    /// <summary>One row of a PCI node's dma-ranges that maps memory to itself: three cells for PCI's address, two for the parent's, two for the size.</summary>
    public void NewWindow(uint name, uint space, ulong start, ulong bytes)
    {
        BeginProperty(_newStrings + name, 28);
        Word(space);
        Wide(start);
        Wide(start);
        Wide(bytes);
    }

    /// <summary>A shared peripheral interrupt, rising edge, in the three cells of the GIC's binding.</summary>
    public void NewEdgeInterrupt(uint name, uint number)
    {
        const uint Shared = 0;
        const uint RisingEdge = 1;
        BeginProperty(_newStrings + name, 12);
        Word(Shared);
        Word(number);
        Word(RisingEdge);
    }

    public void NewText(uint name, scoped ReadOnlySpan<byte> text)
    {
        BeginProperty(_newStrings + name, text.Length + 1);
        Bytes(text, terminate: true);
    }

    private void BeginProperty(uint nameOffset, int length)
    {
        Word((uint)DeviceTreeToken.Property);
        Word((uint)length);
        Word(nameOffset);
    }

    private void Wide(ulong value)
    {
        Word((uint)(value >> 32));
        Word((uint)value);
    }

    private void Word(uint value)
    {
        if (_output.Length - _position < 4)
        {
            Overflowed = true;
            return;
        }

        BinaryPrimitives.WriteUInt32BigEndian(_output[_position..], value);
        _position += 4;
    }

    private void Bytes(scoped ReadOnlySpan<byte> bytes, bool terminate)
    {
        int used = bytes.Length + (terminate ? 1 : 0);
        int padded = (used + 3) & ~3;
        if (_output.Length - _position < padded)
        {
            Overflowed = true;
            return;
        }

        bytes.CopyTo(_output[_position..]);
        _output.Slice(_position + bytes.Length, padded - bytes.Length).Clear();
        _position += padded;
    }
}
