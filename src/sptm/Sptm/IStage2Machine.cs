namespace Exclaves.Sptm;

/// <summary>What stage-2 code needs of the machine. The order of these effects is the point, so tests record them.</summary>
public interface IStage2Machine
{
    /// <summary>Reads the descriptor at physical address <paramref name="address"/>.</summary>
    static abstract ulong ReadEntry(ulong address);

    /// <summary>Writes a descriptor and makes it visible to table walks (store, dsb ishst). The only way into a table.</summary>
    static abstract void WriteEntry(ulong address, ulong value);

    /// <summary>Removes every cached translation of the page or block at <paramref name="ipa"/>, combined ones too, on all CPUs.</summary>
    static abstract void Invalidate(ushort vmid, ulong ipa);

    /// <summary>Removes every cached translation of the VMID, of both stages, on all CPUs.</summary>
    static abstract void InvalidateAll(ushort vmid);

    /// <summary>Zeroes a frame and writes the zeroes back to memory, so that no alias of whatever kind shows what was there (design review 2).</summary>
    static abstract void ClearPage(ulong address);

    /// <summary>The count that belongs to the frame of a table below level 1.</summary>
    static abstract ref ushort Deviations(ulong table);
}
