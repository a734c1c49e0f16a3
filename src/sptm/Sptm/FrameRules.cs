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

/// <summary>Who may touch a frame of which type, and how types change: the specification as two tables.</summary>
public static class FrameRules
{
    public const int TypeCount = 14;
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
    ];

    /// <summary>Which operations a type admits. Counts are checked in <see cref="Apply"/>.</summary>
    private static ReadOnlySpan<bool> Legal =>
    [
        //               Share  Unshare Name   Forget
        /* Unknown    */ false, false,  false, false,
        /* SptmCode   */ false, false,  false, false,
        /* SptmData   */ false, false,  false, false,
        /* PageTable  */ false, false,  false, false,
        /* XnuDefault */ true,  false,  true,  true,
        /* SkCode     */ false, false,  false, false,
        /* SkConst    */ false, false,  false, false,
        /* SkDefault  */ false, false,  false, false,
        /* SkSharedRw */ true,  true,   true,  true,
        /* SptmIommu  */ false, false,  false, false,
        /* TxmCode    */ false, false,  false, false,
        /* TxmRo      */ false, false,  false, false,
        /* TxmDefault */ false, false,  false, false,
        /* SptmRo     */ false, false,  false, false,
    ];

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

        if (!Legal[((int)frame.Type * OperationCount) + (int)operation])
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
