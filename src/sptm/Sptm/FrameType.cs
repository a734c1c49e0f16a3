namespace Exclaves.Sptm;

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
}
