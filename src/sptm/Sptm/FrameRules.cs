using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What can be asked of a frame after boot.</summary>
public enum FrameOperation : byte
{
    /// <summary>SK borrows a frame of Linux.</summary>
    Share = 0,

    /// <summary>SK gives one borrowing back.</summary>
    Unshare = 1,

    /// <summary>Linux names the frame as the argument page of a request.</summary>
    NameArgument = 2,

    /// <summary>SK has finished that request.</summary>
    ForgetArgument = 3,
}

/// <summary>Who may touch a frame of which type, and how types change: the specification as three tables.</summary>
public static class FrameRules
{
    public const int TypeCount = 19;
    public const int OperationCount = 4;

    /// <summary>What stage 2 gives to Linux and to SK, by type (DESIGN 4, I2; no row holds write and execute for SK, I3).</summary>
    private static ReadOnlySpan<FrameAccess> Access =>
    [
        //               Linux                 SK
        /* Unknown    */ FrameAccess.None,     FrameAccess.None,
        /* SptmCode   */ FrameAccess.None,     FrameAccess.None,
        /* SptmData   */ FrameAccess.None,     FrameAccess.None,
        /* PageTable  */ FrameAccess.None,     FrameAccess.None,
        /* XnuDefault */ FrameAccess.All,      FrameAccess.None,
        /* SkCode     */ FrameAccess.None,     FrameAccess.Read | FrameAccess.Execute,
        /* SkConst    */ FrameAccess.None,     FrameAccess.Read,
        /* SkDefault  */ FrameAccess.None,     FrameAccess.ReadWrite,
        /* SkSharedRw */ FrameAccess.All,      FrameAccess.ReadWrite,
        /* SptmIommu  */ FrameAccess.None,     FrameAccess.None,
        /* TxmCode    */ FrameAccess.None,     FrameAccess.None,
        /* TxmRo      */ FrameAccess.None,     FrameAccess.None,
        /* TxmDefault */ FrameAccess.None,     FrameAccess.None,
        /* SptmRo     */ FrameAccess.None,     FrameAccess.Read,
        /* SkDonated  */ FrameAccess.None,     FrameAccess.ReadWrite,
        /* SkSharedRo */ FrameAccess.Read,     FrameAccess.ReadWrite,
        /* XnuIo      */ FrameAccess.ReadWrite, FrameAccess.None,
        /* SkIo       */ FrameAccess.None,     FrameAccess.ReadWrite,
        /* SptmLog    */ FrameAccess.Read,     FrameAccess.None,
    ];

    /// <summary>The legal edges of retype and who may walk them. What no row names is refused; counted edges are <see cref="FrameOperation"/>s.</summary>
    /// <remarks>At boot every frame gets its first type from nothing (<see cref="FrameTable.Claim"/>). Of the carve-out nothing ever leaves.</remarks>
    private static ReadOnlySpan<byte> Edges =>
    [
        //    from                        to                           callers
        (byte)FrameType.XnuDefault, (byte)FrameType.SkDonated,  SkCaller,
        (byte)FrameType.SkDonated,  (byte)FrameType.XnuDefault, SkCaller | SptmCaller,
        (byte)FrameType.SkDonated,  (byte)FrameType.SkSharedRo, SkCaller,
        (byte)FrameType.SkSharedRo, (byte)FrameType.SkDonated,  SkCaller,
        (byte)FrameType.SkSharedRo, (byte)FrameType.XnuDefault, SkCaller | SptmCaller,
    ];

    /// <summary>Types on which each operation is possible, one bit for each type. Counts are checked in <see cref="Apply"/>.</summary>
    private static ReadOnlySpan<ushort> Admits =>
    [
        /* Share          */ XnuMemory,
        /* Unshare        */ 1 << (int)FrameType.SkSharedRw,
        /* NameArgument   */ XnuMemory,
        /* ForgetArgument */ XnuMemory,
    ];

    private const byte SptmCaller = 1 << (int)Domain.Sptm;
    private const byte SkCaller = 1 << (int)Domain.Sk;
    private const ushort XnuMemory = (1 << (int)FrameType.XnuDefault) | (1 << (int)FrameType.SkSharedRw);

    /// <summary>Whether <paramref name="caller"/> may turn a frame of one type into the other.</summary>
    public static bool IsEdge(Domain caller, FrameType from, FrameType to)
    {
        for (int i = 0; i < Edges.Length; i += 3)
        {
            if (Edges[i] == (byte)from && Edges[i + 1] == (byte)to)
            {
                return (uint)caller < 8 && ((Edges[i + 2] >> (int)caller) & 1) != 0;
            }
        }

        return false;
    }

    /// <summary>Linux allocated it for us, so a touch of Linux takes it back (DESIGN 4).</summary>
    public static bool IsReclaimable(FrameType type) => IsEdge(Domain.Sptm, type, FrameType.XnuDefault);

    public static FrameAccess LinuxAccess(FrameType type) => (uint)type < TypeCount ? Access[(int)type * 2] : FrameAccess.None;

    public static FrameAccess SkAccess(FrameType type) => (uint)type < TypeCount ? Access[((int)type * 2) + 1] : FrameAccess.None;

    /// <summary>What stage 2 gives to TXM while it runs.</summary>
    public static FrameAccess TxmAccess(FrameType type) => type switch
    {
        FrameType.TxmCode => FrameAccess.Read | FrameAccess.Execute,
        FrameType.TxmRo => FrameAccess.Read,
        FrameType.TxmDefault => FrameAccess.ReadWrite,
        _ => FrameAccess.None,
    };

    /// <summary>Applies <paramref name="operation"/>, or leaves <paramref name="frame"/> as it is and refuses.</summary>
    /// <returns><see cref="Status.Denied"/>: the type does not admit it. <see cref="Status.Busy"/>: a count is at its end.</returns>
    public static Status Apply(ref FrameEntry frame, FrameOperation operation)
    {
        if ((uint)frame.Type >= TypeCount || (uint)operation >= OperationCount)
        {
            return Status.BadArgument;
        }

        if (((Admits[(int)operation] >> (int)frame.Type) & 1) == 0)
        {
            return Status.Denied;
        }

        return operation switch
        {
            FrameOperation.Share => Share(ref frame),
            FrameOperation.Unshare => Unshare(ref frame),
            FrameOperation.NameArgument => NameArgument(ref frame),
            FrameOperation.ForgetArgument => ForgetArgument(ref frame),
            _ => Status.BadArgument,
        };
    }

    private static Status Share(ref FrameEntry frame)
    {
        if (frame.BorrowCount == ushort.MaxValue)
        {
            return Status.Busy;
        }

        frame.BorrowCount++;
        frame.Type = FrameType.SkSharedRw;
        return Status.Ok;
    }

    private static Status Unshare(ref FrameEntry frame)
    {
        frame.BorrowCount--;
        frame.Type = frame.BorrowCount == 0 ? FrameType.XnuDefault : FrameType.SkSharedRw;
        return Status.Ok;
    }

    private static Status NameArgument(ref FrameEntry frame)
    {
        if (frame.ArgumentCount == byte.MaxValue)
        {
            return Status.Busy;
        }

        frame.ArgumentCount++;
        return Status.Ok;
    }

    private static Status ForgetArgument(ref FrameEntry frame)
    {
        if (frame.ArgumentCount == 0)
        {
            return Status.Denied;
        }

        frame.ArgumentCount--;
        return Status.Ok;
    }
}
