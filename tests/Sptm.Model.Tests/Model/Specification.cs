using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>I1 to I3 and the legal edges, written down apart from the monitor's tables (DESIGN 4 and 5).</summary>
internal static class Specification
{
    private static readonly HashSet<(Domain Caller, FrameType From, FrameType To)> Legal =
    [
        (Domain.Sk, FrameType.XnuDefault, FrameType.SkDonated),
        (Domain.Sk, FrameType.SkDonated, FrameType.XnuDefault),
        (Domain.Sk, FrameType.SkDonated, FrameType.SkSharedRo),
        (Domain.Sk, FrameType.SkSharedRo, FrameType.SkDonated),
        (Domain.Sk, FrameType.SkSharedRo, FrameType.XnuDefault),
        (Domain.Sptm, FrameType.SkDonated, FrameType.XnuDefault),
        (Domain.Sptm, FrameType.SkSharedRo, FrameType.XnuDefault),
    ];

    /// <summary>What a world may at most do with a frame.</summary>
    public static FrameAccess Allowed(World world, FrameType type) => (world, type) switch
    {
        (World.Linux, FrameType.XnuDefault or FrameType.SkSharedRw) => FrameAccess.All,
        (World.Linux, FrameType.SkSharedRo) => FrameAccess.Read,
        (World.Secure, FrameType.SkDefault or FrameType.SkDonated or FrameType.SkSharedRw or FrameType.SkSharedRo) => FrameAccess.ReadWrite,
        (World.Secure, FrameType.SkCode) => FrameAccess.Read | FrameAccess.Execute,
        (World.Secure, FrameType.SkConst or FrameType.SptmRo) => FrameAccess.Read,
        _ => FrameAccess.None,
    };

    public static bool IsLegal(Domain caller, FrameType from, FrameType to) => Legal.Contains((caller, from, to));

    /// <summary>Memory that the secure world alone writes: Linux never gets one of these in the window of its devices.</summary>
    public static bool IsLent(FrameType type) => type is FrameType.SkDonated or FrameType.SkSharedRo;

    /// <summary>What a stage-2 leaf permits (Arm ARM D8.4).</summary>
    public static FrameAccess AccessOf(ulong leaf) =>
        (FrameAccess)((leaf >> 6) & 3) | ((leaf & (3ul << 53)) == 0 ? FrameAccess.Execute : FrameAccess.None);
}
