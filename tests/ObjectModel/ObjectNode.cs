using Exclaves.Abi;

namespace Exclaves.ObjectModel;

/// <summary>One capability. Zero: this place of the array is free.</summary>
public struct ObjectNode
{
    public ObjectKind Kind;
    public CapabilityRights Rights;
    public ulong Badge;

    /// <summary>Address of the object, in the terms of whoever made the tree; 0: the walk knows nothing of it.</summary>
    public ulong Object;
    public int SizeLog2;
    public bool IsOriginal;

    /// <summary>Boot made it: it cannot be moved or given up.</summary>
    public bool IsDeclared;

    /// <summary>Place of what it was derived from, or made of; -1: nothing that the tree holds.</summary>
    public int Parent;
    public int Depth;

    /// <summary>Untyped: bytes from its start that are given out.</summary>
    public ulong Watermark;

    /// <summary>Frame: where this capability has it mapped; 0: nowhere.</summary>
    public ulong MappedAt;

    /// <summary>Original frame: the word at both its ends. Original notification: the bits that are set.</summary>
    public ulong Content;

    /// <summary>Address of the table that it lies in; 0: the component's own.</summary>
    public ulong Table;
    public ulong Index;
}
