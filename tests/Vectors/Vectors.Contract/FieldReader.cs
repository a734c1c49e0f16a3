using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;

namespace Exclaves.Vectors;

/// <summary>Reads what <see cref="FieldWriter"/> wrote.</summary>
public ref struct FieldReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;

    /// <exception cref="InvalidDataException">There is no such field.</exception>
    public ReadOnlySpan<byte> Bytes()
    {
        if (_rest.Length < sizeof(int) || (uint)BinaryPrimitives.ReadInt32LittleEndian(_rest) > (uint)(_rest.Length - sizeof(int)))
        {
            throw new InvalidDataException("The input ends within a field.");
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
        ReadOnlySpan<byte> field = _rest.Slice(sizeof(int), length);
        _rest = _rest[(sizeof(int) + length)..];
        return field;
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public int Number() => BinaryPrimitives.ReadInt32LittleEndian(Bytes());
}
