namespace Exclaves.Abi;

/// <summary>What the monitor for tests, `Sptm.Weak`, can be built without: bit numbers of the mask in its image. The product knows no such mask.</summary>
public enum Defence : uint
{
    /// <summary>Linux's stage 2 leaves out what is not Linux's.</summary>
    SecureFrames = 0,

    /// <summary>Linux's stage 2 leaves out devices that are the secure world's or could write memory.</summary>
    SecureDevices = 1,

    /// <summary>LPI registers of the redistributors are emulated.</summary>
    LpiTables = 2,

    /// <summary>Parts of the image are measured and their signature verified before the secure world opens.</summary>
    VerifiedImage = 3,

    /// <summary>Devices reach the DMA window alone, by the SMMU.</summary>
    DmaWindow = 4,

    /// <summary>The system registers that each world has for itself (WORLD_FREE in worldregs.h) change with the world.</summary>
    WorldRegisters = 5,

    /// <summary>SIMD registers change with the world.</summary>
    WorldVectors = 6,

    /// <summary>Breakpoints, watchpoints, single step and performance counters do nothing in the secure world.</summary>
    WorldDebug = 7,

    /// <summary>SK's stage 2 leaves out what is not SK's, and keeps text from being written and data from being executed.</summary>
    KernelFrames = 8,

    Count = 9,
}
