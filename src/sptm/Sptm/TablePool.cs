namespace Exclaves.Sptm;

/// <summary>Zeroed frames for stage-2 tables, set aside once at boot and sized so that they cannot run out.</summary>
public struct TablePool
{
    private ulong _next;
    private ulong _end;

    /// <summary>First of the frames that came back, or 0; each holds the address of the next in its first word.</summary>
    private ulong _free;
    private ulong _freeCount;

    /// <summary>What both worlds can need: a table for each block of 2 MiB and each GiB of RAM, and for devices and TXM, whose number does not follow from RAM.</summary>
    public static ulong BytesFor(ulong ramBytes)
    {
        const int TablesByBlock = 20;
        const int TablesByGigabyte = 29;
        const ulong Others = 64;
        return ((ramBytes >> TablesByBlock) + (ramBytes >> TablesByGigabyte) + Others) * FrameTable.PageBytes;
    }

    public TablePool(ulong start, ulong bytes)
    {
        _next = start;
        _end = start + bytes;
        _free = 0;
        _freeCount = 0;
    }

    public readonly ulong FreeBytes => _end - _next + (_freeCount * FrameTable.PageBytes);

    /// <summary>Takes one zeroed frame; false when there is none.</summary>
    public bool TryTake<TMachine>(out ulong frame) where TMachine : struct, IStage2Machine
    {
        if (_free != 0)
        {
            frame = _free;
            _free = TMachine.ReadEntry(frame);
            _freeCount--;
            TMachine.WriteEntry(frame, 0);
            return true;
        }

        frame = _next;
        if (_next >= _end)
        {
            return false;
        }

        _next += FrameTable.PageBytes;
        return true;
    }

    /// <summary>Takes back a table that no walk can reach any more.</summary>
    public void Release<TMachine>(ulong frame) where TMachine : struct, IStage2Machine
    {
        TMachine.ClearPage(frame);
        TMachine.WriteEntry(frame, _free);
        _free = frame;
        _freeCount++;
    }
}
