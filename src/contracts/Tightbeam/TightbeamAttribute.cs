using System;

namespace Exclaves.Tightbeam;

/// <summary>Marks an interface as the description of a service.</summary>
/// <param name="id">Names the interface on the wire, for ever; not zero.</param>
/// <param name="version">Grows with each addition; not zero.</param>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class TightbeamAttribute(uint id, ushort version) : Attribute
{
    public uint Id { get; } = id;

    public ushort Version { get; } = version;

    /// <summary>Bytes that request and answer of one call may have together. The default is what one message of the secure world carries.</summary>
    public int CallBytes { get; set; } = WireHeader.MessageCallBytes;
}
