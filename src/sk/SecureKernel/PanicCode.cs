namespace Exclaves.SecureKernel;

/// <summary>Why SK stops (I12). Shown in the report.</summary>
public enum PanicCode : uint
{
    None = 0,

    /// <summary>The boot information or the image's tables are not what SPTM and the image tool promise.</summary>
    BadBootInfo = 1,

    /// <summary>The secure pool is smaller than the quotas of the components.</summary>
    PoolTooSmall = 2,

    /// <summary>XnuProxy ended: nobody can answer Linux any more. Details: ESR, FAR, PC.</summary>
    ProxyDied = 3,

    /// <summary>An exception out of SK's own code. Details: ESR, ELR, FAR.</summary>
    KernelFault = 4,

    /// <summary>A check of the language failed. Detail: the FailCode.</summary>
    Check = 5,

    /// <summary>A state that the tables exclude. Details: what, where.</summary>
    Broken = 7,

    /// <summary>SPTM refused to take back a frame that it had shared.</summary>
    UnshareRefused = 8,
}
