namespace Exclaves.Sptm.Model;

/// <summary>Something a TLB may keep: a translation, or (for <see cref="Table"/> not negative) where the next table of a walk is.</summary>
/// <param name="Level">Of the entry of the table that it was read from.</param>
/// <param name="Base">First address that the entry translates.</param>
/// <param name="Table">Number of the page that holds the next table.</param>
internal readonly record struct TlbEntry(World World, int Level, ulong Base, FrameAccess Access, int Table)
{
    public bool IsWalk => Table >= 0;

    public bool Covers(ulong address) => Place.Base(address, Level) == Base;

    public override string ToString() => IsWalk
        ? $"{World}'s pointer to table {Table} for {Base:x}"
        : $"{World}'s translation of {Base:x} (level {Level}, {Access})";
}
