namespace Exclaves.Abi;

/// <summary>The one type that each 4 KiB frame of RAM has (DESIGN 4, I1).</summary>
/// <remarks>Zero grants nothing to anybody.</remarks>
public enum FrameType : byte
{
    Unknown = 0,

    /// <summary>The monitor's own text and constants.</summary>
    SptmCode = 1,

    /// <summary>The monitor's data, stacks, log and frame table.</summary>
    SptmData = 2,

    /// <summary>Stage-2 tables.</summary>
    SptmPageTable = 3,

    /// <summary>Linux's own memory.</summary>
    XnuDefault = 4,

    /// <summary>Text of SK or of a component: read and execute, never written.</summary>
    SkCode = 5,

    /// <summary>Constants of SK or of a component, image tables.</summary>
    SkConst = 6,

    /// <summary>Private memory of the secure world: read and write, never executed.</summary>
    SkDefault = 7,

    /// <summary>Linux's memory that the secure world borrows; Linux's own mapping stays as it is.</summary>
    SkSharedRw = 8,

    /// <summary>Tables and queues of the SMMU, made at boot (the original's SPTM_IOMMU_BOOTSTRAP).</summary>
    SptmIommuBootstrap = 9,

    /// <summary>Text of TXM, until it has answered.</summary>
    TxmCode = 10,

    /// <summary>What TXM reads: its constants, the request, the image's manifest.</summary>
    TxmRo = 11,

    /// <summary>TXM's data and stack.</summary>
    TxmDefault = 12,

    /// <summary>What the monitor tells SK and never changes: the measurement log.</summary>
    SptmRo = 13,

    /// <summary>Memory that Linux allocated for the secure world on an upcall, private to it until given back (the original's SK_DEFAULT
    /// as the target of a retype; <see cref="SkDefault"/> is the carve-out, which no edge leads out of).</summary>
    SkDonated = 14,

    /// <summary>A donated frame that Linux may read.</summary>
    SkSharedRo = 15,

    /// <summary>Registers of a device of Linux. Not RAM: no entry of the frame table, only a row of the device map.</summary>
    XnuIo = 16,

    /// <summary>Registers of a device of the secure world.</summary>
    SkIo = 17,

    /// <summary>The monitor's log, which Linux may read (docs/panic.md).</summary>
    SptmLog = 18,
}
