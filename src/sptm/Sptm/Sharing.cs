using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>SK borrows frames of Linux, one at a time. Linux's own tables are not touched (DESIGN 4).</summary>
/// <remarks>Callers hold the stage-2 lock.</remarks>
public static class Sharing
{
    /// <summary>Borrows the frame once more; maps it for SK when it is the first time.</summary>
    public static Status Share<TMachine>(in FrameTable frames, in Stage2<TMachine> secure, ref TablePool pool, ulong address)
        where TMachine : struct, IStage2Machine
    {
        if ((address & (FrameTable.PageBytes - 1)) != 0 || !frames.Contains(address))
        {
            return Status.Denied;
        }

        ref FrameEntry frame = ref frames.Entry(address);
        Status status = FrameRules.Apply(ref frame, FrameOperation.Share);
        if (status != Status.Ok || frame.BorrowCount != 1)
        {
            return status;
        }

        status = secure.SetRange(ref pool, address, FrameTable.PageBytes, FrameRules.SkAccess(frame.Type), device: false);
        if (status != Status.Ok)
        {
            // Undoes the Share above, which made it legal.
            _ = FrameRules.Apply(ref frame, FrameOperation.Unshare);
        }

        return status;
    }

    /// <summary>Gives one borrowing back; unmaps the frame for SK before the last one counts as returned.</summary>
    public static Status Unshare<TMachine>(in FrameTable frames, in Stage2<TMachine> secure, ref TablePool pool, ulong address)
        where TMachine : struct, IStage2Machine
    {
        if ((address & (FrameTable.PageBytes - 1)) != 0 || !frames.Contains(address))
        {
            return Status.Denied;
        }

        ref FrameEntry frame = ref frames.Entry(address);
        if (frame.Type == FrameType.SkSharedRw && frame.BorrowCount == 1)
        {
            Status status = secure.SetRange(ref pool, address, FrameTable.PageBytes, FrameAccess.None, device: false);
            if (status != Status.Ok)
            {
                return status;
            }
        }

        return FrameRules.Apply(ref frame, FrameOperation.Unshare);
    }
}
