namespace Exclaves.Abi;

/// <summary>What can be put wrong in the monitor that checks itself, `Sptm.Checked`, to see that it notices: bit numbers of the mask in its image.</summary>
public enum PlantedDifference : uint
{
    /// <summary>Linux's stage 2 maps a frame of SK.</summary>
    Mapping = 0,

    /// <summary>The frame table calls a frame of SK Linux's.</summary>
    Type = 1,

    /// <summary>A frame of Linux counts a borrowing that nobody made.</summary>
    Count = 2,

    /// <summary>The SMMU's window holds a frame of SK.</summary>
    Window = 3,

    /// <summary>A page of the monitor's constants is executable.</summary>
    OwnTable = 4,

    /// <summary>Every TLBI is missing that a change after boot needs.</summary>
    Invalidation = 5,

    /// <summary>The report of a panic of the secure world lasts until calls were held for it.</summary>
    HeldReport = 6,

    /// <summary>It lasts until a call was told that all is over, which nobody tells before a second has gone by.</summary>
    EndlessReport = 7,

    Limit = 8,
}
