namespace Exclaves.Sptm;

/// <summary>What stage-2 code needs of the machine. The order of these effects is the point, so tests record them.</summary>
public interface IStage2Machine
{
    /// <summary>Reads the descriptor at physical address <paramref name="address"/>.</summary>
    static abstract ulong ReadEntry(ulong address);

    /// <summary>Writes a descriptor and makes it visible to table walks (store, dsb ishst).</summary>
    static abstract void WriteEntry(ulong address, ulong value);

    /// <summary>Removes every cached translation of the page or block at <paramref name="ipa"/>, combined ones too, on all CPUs.</summary>
    static abstract void Invalidate(ushort vmid, ulong ipa);
}
