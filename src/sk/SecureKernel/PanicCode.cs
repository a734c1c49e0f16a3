using System;

namespace Exclaves.SecureKernel;

/// <summary>Why SK stops (I12). Shown in the report.</summary>
public enum PanicCode : uint
{
    None = 0,

    /// <summary>The boot information or the image's tables are not what SPTM and the image tool promise.</summary>
    BadBootInfo = 1,

    /// <summary>The secure pool is smaller than the quotas of the components.</summary>
    PoolTooSmall = 2,

    /// <summary>A component of the core ended, and with it what all others build on.</summary>
    CoreEnded = 3,

    /// <summary>An exception out of SK's own code. Details: vector.</summary>
    KernelFault = 4,

    /// <summary>A check of the language failed. Detail: the FailCode.</summary>
    Check = 5,

    /// <summary>A state that the tables exclude. Details: what, where.</summary>
    Broken = 7,

    /// <summary>SPTM refused to take back a frame that it had shared.</summary>
    UnshareRefused = 8,
}

/// <summary>The codes in words.</summary>
public static class PanicCodes
{
    public static ReadOnlySpan<byte> Name(PanicCode code) => code switch
    {
        PanicCode.BadBootInfo => "bad boot information"u8,
        PanicCode.PoolTooSmall => "the pool is smaller than the quotas"u8,
        PanicCode.CoreEnded => "a core component ended"u8,
        PanicCode.KernelFault => "exception in SK"u8,
        PanicCode.Check => "failed check"u8,
        PanicCode.Broken => "broken state"u8,
        PanicCode.UnshareRefused => "a shared frame is not taken back"u8,
        _ => "unknown"u8,
    };
}
