namespace Exclaves.Sptm.Image;

/// <summary>Which protections this build has: all. `Sptm.Weak` has its own copy of this class.</summary>
public static class Protections
{
    /// <summary>Linux's stage 2 leaves out what is not Linux's.</summary>
    public static bool SecureFrames => true;

    /// <summary>Redistributor frames with LPI registers are emulated.</summary>
    public static bool LpiTables => true;

    /// <summary>Devices of the secure world are unmapped for Linux.</summary>
    public static bool SecureDevices => true;

    /// <summary>No secure world without a verified image.</summary>
    public static bool VerifiedImage => true;

    /// <summary>The SMMU keeps devices in the window, and devices that get around it are refused.</summary>
    public static bool DmaWindow => true;

    /// <summary>SK's stage 2 follows the frame table.</summary>
    public static bool KernelFrames => true;

    /// <summary>Debug exceptions of the secure world are off. protections.h has what assembly asks.</summary>
    public static bool WorldDebug => true;
}
