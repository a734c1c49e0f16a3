namespace Exclaves.Abi;

/// <summary>Where FrameMint's capabilities lie, and the one that XnuProxy has to it.</summary>
public static class MintSlots
{
    /// <summary>XnuProxy's: FrameMint's endpoint.</summary>
    public const uint Proxy = 4;

    /// <summary>ExclaveKit's pages of the image (<see cref="GrantKind.Kit"/>).</summary>
    public const uint Kit = 2;

    /// <summary>From here on, the pools that FrameMint makes.</summary>
    public const uint Pools = 34;

    /// <summary>From here on, the pieces of memory that is left when everybody has what was declared; FrameMint's pools are made of them.</summary>
    public const uint Rest = 64;

    /// <summary>One pool: what a level-2 descriptor maps.</summary>
    public const uint PoolSizeLog2 = 21;
    public const uint MaxPools = Rest - Pools;
}
