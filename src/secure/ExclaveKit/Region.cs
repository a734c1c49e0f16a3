using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>A run of pages that the program has mapped, with one access.</summary>
public struct Region
{
    public ulong Start;

    /// <summary>First address behind it.</summary>
    public ulong End;
    public MemoryAccess Access;

    /// <summary>Its pages count against the quota: it is, or once was, writable. Never undone by taking the access away, only by unmapping.</summary>
    public bool Charged;

    public readonly ulong Pages => Page.Count(Start, End);
}

[InlineArray(RegionMap.Capacity)]
internal struct RegionTable
{
    private Region _first;
}
