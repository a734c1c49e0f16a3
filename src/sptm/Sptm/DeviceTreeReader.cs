using System;
using System.Buffers.Binary;

namespace Exclaves.Sptm;

/// <summary>What stands next in a flattened device tree.</summary>
public enum DeviceTreeToken : uint
{
    BeginNode = 1,
    EndNode = 2,
    Property = 3,
    Nop = 4,
    End = 9,

    /// <summary>The blob contradicts itself; reading stops.</summary>
    Malformed = 0,
}

/// <summary>Reads a flattened device tree token by token (Devicetree Specification 5), trusting no offset in it.</summary>
public ref struct DeviceTreeReader
{
    public const uint Magic = 0xD00D_FEED;
    public const int HeaderBytes = 40;

    private readonly ReadOnlySpan<byte> _structure;
    private readonly ReadOnlySpan<byte> _strings;
    private int _position;

    private DeviceTreeReader(ReadOnlySpan<byte> structure, ReadOnlySpan<byte> strings)
    {
        _structure = structure;
        _strings = strings;
        _position = 0;
        Name = default;
        Value = default;
        NameOffset = 0;
        Depth = 0;
    }

    /// <summary>Of the node just begun, or of the property.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Of the property's name in the strings block.</summary>
    public uint NameOffset { get; private set; }

    /// <summary>Nodes that are open; the root alone is 1.</summary>
    public int Depth { get; private set; }

    public readonly ReadOnlySpan<byte> Strings => _strings;

    public static bool TryOpen(ReadOnlySpan<byte> blob, out DeviceTreeReader reader)
    {
        reader = default;
        if (blob.Length < HeaderBytes || BinaryPrimitives.ReadUInt32BigEndian(blob) != Magic)
        {
            return false;
        }

        uint structureOffset = BinaryPrimitives.ReadUInt32BigEndian(blob[8..]);
        uint stringsOffset = BinaryPrimitives.ReadUInt32BigEndian(blob[12..]);
        uint stringsBytes = BinaryPrimitives.ReadUInt32BigEndian(blob[32..]);
        uint structureBytes = BinaryPrimitives.ReadUInt32BigEndian(blob[36..]);
        if ((ulong)structureOffset + structureBytes > (ulong)blob.Length
            || (ulong)stringsOffset + stringsBytes > (ulong)blob.Length
            || (structureOffset & 3) != 0)
        {
            return false;
        }

        reader = new DeviceTreeReader(
            blob.Slice((int)structureOffset, (int)structureBytes), blob.Slice((int)stringsOffset, (int)stringsBytes));
        return true;
    }

    public DeviceTreeToken Next()
    {
        if (!TryWord(out uint word))
        {
            return DeviceTreeToken.Malformed;
        }

        switch ((DeviceTreeToken)word)
        {
            case DeviceTreeToken.BeginNode:
                Depth++;
                return TryNodeName() ? DeviceTreeToken.BeginNode : DeviceTreeToken.Malformed;
            case DeviceTreeToken.EndNode:
                Depth--;
                return Depth >= 0 ? DeviceTreeToken.EndNode : DeviceTreeToken.Malformed;
            case DeviceTreeToken.Property:
                return TryProperty() ? DeviceTreeToken.Property : DeviceTreeToken.Malformed;
            case DeviceTreeToken.Nop:
                return DeviceTreeToken.Nop;
            case DeviceTreeToken.End:
                return Depth == 0 ? DeviceTreeToken.End : DeviceTreeToken.Malformed;
            default:
                return DeviceTreeToken.Malformed;
        }
    }

    private bool TryWord(out uint word)
    {
        word = 0;
        if (_structure.Length - _position < 4)
        {
            return false;
        }

        word = BinaryPrimitives.ReadUInt32BigEndian(_structure[_position..]);
        _position += 4;
        return true;
    }

    private bool TryNodeName()
    {
        ReadOnlySpan<byte> rest = _structure[_position..];
        int length = IndexOfZero(rest);
        if (length < 0)
        {
            return false;
        }

        Name = rest[..length];
        return TryAdvance((uint)length + 1);
    }

    private bool TryProperty()
    {
        if (!TryWord(out uint bytes) || !TryWord(out uint nameOffset) || bytes > (uint)(_structure.Length - _position) || nameOffset >= (uint)_strings.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> name = _strings[(int)nameOffset..];
        int length = IndexOfZero(name);
        if (length < 0)
        {
            return false;
        }

        Name = name[..length];
        NameOffset = nameOffset;
        Value = _structure.Slice(_position, (int)bytes);
        return TryAdvance(bytes);
    }

    private bool TryAdvance(uint bytes)
    {
        int next = _position + (int)((bytes + 3) & ~3u);
        if (next > _structure.Length)
        {
            return false;
        }

        _position = next;
        return true;
    }

    private static int IndexOfZero(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == 0)
            {
                return i;
            }
        }

        return -1;
    }
}
