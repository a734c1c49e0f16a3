using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Exclaves.Vectors;

/// <summary>What a file says up to where a vector ends: the vector's values, and those that went before and still hold.</summary>
public sealed class VectorRecord(IReadOnlyDictionary<string, string> values, string section, string lastName, int line)
{
    /// <summary>Of the line where it ends.</summary>
    public int Line { get; } = line;

    /// <summary>The last line in brackets, without them.</summary>
    public string Section { get; } = section;

    /// <summary>Name of the last value.</summary>
    public string LastName { get; } = lastName;

    public bool Has(string name) => values.ContainsKey(name);

    public string Text(string name) => values.TryGetValue(name, out string? text) ? text : throw new FormatException($"line {Line}: there is no {name}.");

    public int Number(string name) => int.Parse(Text(name), CultureInfo.InvariantCulture);

    /// <summary>Hexadecimal digits, or text in quotes.</summary>
    public byte[] Bytes(string name)
    {
        string text = Text(name);
        if (text.StartsWith('"'))
        {
            return Encoding.UTF8.GetBytes(text.Trim('"'));
        }

        return Convert.FromHexString(text.Length % 2 == 0 ? text : "0" + text);
    }

    /// <summary>As <see cref="Bytes"/>; files write a byte for what has none, and say so with a length.</summary>
    public byte[] Bytes(string name, int length) => length == 0 ? [] : Bytes(name);

    /// <summary>A big-endian number in exactly so many bytes, if it fits.</summary>
    public byte[] Integer(string name, int length)
    {
        ReadOnlySpan<byte> digits = Bytes(name).AsSpan().TrimStart((byte)0);
        byte[] result = new byte[Math.Max(length, digits.Length)];
        digits.CopyTo(result.AsSpan(result.Length - digits.Length));
        return result;
    }
}
