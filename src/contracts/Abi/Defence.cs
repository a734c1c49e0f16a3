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

    Count = 5,
}
