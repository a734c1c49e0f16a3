using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Exclaves.Vectors;

/// <summary>Input of a computation: fields one after the other, each after its length in four bytes.</summary>
public sealed class FieldWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public FieldWriter Add(ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(sizeof(int)), field.Length);
        _bytes.Advance(sizeof(int));
        _bytes.Write(field);
        return this;
    }

    public FieldWriter Add(string text) => Add(Encoding.UTF8.GetBytes(text));

    public FieldWriter Add(int number)
    {
        Span<byte> field = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(field, number);
        return Add(field);
    }
}
