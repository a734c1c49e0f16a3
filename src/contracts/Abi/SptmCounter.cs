namespace Exclaves.Abi;

/// <summary>Event counters of SPTM, in this order in <see cref="SkFunction.Counters"/> and in the vendor fast call.</summary>
public enum SptmCounter : uint
{
    /// <summary>Accesses of Linux to a frame its stage 2 does not map, answered with an injected abort.</summary>
    RefusedAccess = 0,

    /// <summary>Of these: reads and writes through a kernel (TTBR1) address, answered with a permission fault.</summary>
    RefusedKernelData = 1,

    /// <summary>Of these: everything else that is data (user addresses).</summary>
    RefusedUserData = 2,

    /// <summary>Of these: instruction fetches.</summary>
    RefusedFetch = 3,

    /// <summary>Of these: stage-1 table walks into a secure frame.</summary>
    RefusedWalk = 4,

    /// <summary>Of these: accesses to a secure device or a hidden register frame.</summary>
    RefusedDevice = 5,

    /// <summary>Writes to the LPI registers of a redistributor, dropped.</summary>
    RefusedLpi = 6,

    /// <summary>Calls of Linux that the allow-list does not hold.</summary>
    RefusedCall = 7,

    /// <summary>Frames of type SK_SHARED_RW now.</summary>
    SharedFrames = 8,

    /// <summary>Entries into SK.</summary>
    Enter = 9,

    /// <summary>Emulated accesses to redistributor RD frames.</summary>
    RedistributorAccess = 10,

    /// <summary>All exceptions taken to EL2.</summary>
    Traps = 11,

    /// <summary>Share and Unshare requests that the frame rules refused.</summary>
    RefusedShare = 12,

    /// <summary>Instructions of the secure world that EL2 traps, answered with an exception of SK's own.</summary>
    SecureTrap = 13,

    /// <summary>Reads and writes of PCI devices that the SMMU refused. A full event queue loses some and adds one.</summary>
    RefusedDma = 14,

    /// <summary>No counter: the address that the last of these named.</summary>
    RefusedDmaAddress = 15,

    /// <summary>No counter: its stream id, which is the PCI requester id.</summary>
    RefusedDmaStream = 16,

    /// <summary>Retype requests that the frame rules refused.</summary>
    RefusedRetype = 17,

    /// <summary>Frames that Linux allocated for the secure world and that it holds now.</summary>
    DonatedFrames = 18,

    /// <summary>Donated frames that Linux touched and so got back, in total.</summary>
    ReclaimedFrames = 19,

    /// <summary>Reads of an identification register that SPTM answers, on CPUs with something to hide.</summary>
    IdentificationRead = 20,

    /// <summary>Calls of Linux that the end of the secure world ended.</summary>
    EndedCall = 21,

    /// <summary>Copies from or to a frame that the frame rules refused.</summary>
    RefusedCopy = 22,

    /// <summary>Contracts that SK broke: aborts of its stage 2, calls that only SK can get wrong, traps it must not cause. The first ends the secure world.</summary>
    SecureBreach = 23,

    /// <summary>Images that secure boot refused: 1 when there is no secure world for that reason.</summary>
    RefusedImage = 24,

    /// <summary>Interrupts of the TEE's node that SPTM pended because SK asked for time. Linux counts more where a secure device has its own.</summary>
    Notification = 25,

    Count = 26,
}
