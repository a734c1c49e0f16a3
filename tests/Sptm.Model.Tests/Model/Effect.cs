namespace Exclaves.Sptm.Model;

internal enum EffectKind
{
    /// <summary>A valid entry of a table became invalid.</summary>
    Break,

    /// <summary>An invalid entry became valid.</summary>
    Make,

    /// <summary>TLB entries for one address go.</summary>
    Invalidate,

    /// <summary>All TLB entries of the world go.</summary>
    InvalidateAll,

    /// <summary>A frame is overwritten with zeros.</summary>
    Clear,

    /// <summary>Nothing: time passes between one effect and what the call does next.</summary>
    Pause,
}

/// <summary>One thing that a call does to the machine.</summary>
/// <param name="Level">Of the table's entry that was broken or made; <paramref name="Address"/> is the first that it translates.</param>
/// <param name="Cpu">The only CPU whose TLB it reaches; negative: all.</param>
internal readonly record struct Effect(EffectKind Kind, World World, int Level, ulong Address, int Cpu)
{
    public override string ToString() => $"{Kind} {World} {Address:x}";
}
