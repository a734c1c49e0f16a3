using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>A frame changes its type for good: donated, published, given back (DESIGN 4; reference: retype protocol).</summary>
/// <remarks>Callers hold the stage-2 lock. Nobody ever sees what the frame held before, and nobody keeps a mapping that the new type does not give.</remarks>
public static class Retype
{
    /// <summary>Tables that one change can take at most: two levels in each translation.</summary>
    private const ulong Reserve = 4 * FrameTable.PageBytes;

    /// <param name="caller">Who asks.</param>
    /// <param name="address">Physical address of the frame.</param>
    /// <param name="current">The type that the caller believes it has.</param>
    /// <returns>
    /// <see cref="Status.BadAddress"/>: no frame. <see cref="Status.BadArgument"/>: not an edge of this caller. Both are the caller's fault alone.
    /// <see cref="Status.Denied"/>: it has another type, or devices may reach it. <see cref="Status.Busy"/>: it is borrowed, or an argument page, or tables are short.
    /// </returns>
    public static Status Apply<TMachine>(
        Domain caller, in FrameTable frames, in Stage2<TMachine> linux, in Stage2<TMachine> secure, ref TablePool pool, ulong address, FrameType current, FrameType next)
        where TMachine : struct, IStage2Machine
    {
        if ((address & (FrameTable.PageBytes - 1)) != 0 || !frames.Contains(address))
        {
            return Status.BadAddress;
        }

        if (!FrameRules.IsEdge(caller, current, next))
        {
            return Status.BadArgument;
        }

        ref FrameEntry frame = ref frames.Entry(address);
        if (frame.Type != current || (current == FrameType.XnuDefault && DmaWindow.Contains(address)))
        {
            return Status.Denied;
        }

        if (frame.BorrowCount != 0 || frame.ArgumentCount != 0 || pool.FreeBytes < Reserve)
        {
            return Status.Busy;
        }

        // The reserve makes the four changes certain to succeed. Nobody has the frame while it is cleared.
        Set(linux, ref pool, address, FrameAccess.None);
        Set(secure, ref pool, address, FrameAccess.None);
        TMachine.ClearPage(address);
        frame.Type = next;
        Set(secure, ref pool, address, FrameRules.SkAccess(next));
        Set(linux, ref pool, address, FrameRules.LinuxAccess(next));
        return Status.Ok;
    }

    private static void Set<TMachine>(in Stage2<TMachine> tables, ref TablePool pool, ulong address, FrameAccess access)
        where TMachine : struct, IStage2Machine
    {
        // Fails only for a lack of tables or an address beyond the translation; both were excluded above.
        _ = tables.SetRange(ref pool, address, FrameTable.PageBytes, access, device: false);
    }
}
