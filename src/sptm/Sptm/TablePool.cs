namespace Exclaves.Sptm;

/// <summary>Zeroed frames for stage-2 tables, set aside once at boot and sized so that they cannot run out.</summary>
public struct TablePool
{
    private ulong _next;
    private ulong _end;

    public TablePool(ulong start, ulong bytes)
    {
        _next = start;
        _end = start + bytes;
    }

    public readonly ulong FreeBytes => _end - _next;

    /// <summary>Takes one zeroed frame; false when there is none.</summary>
    public bool TryTake(out ulong frame)
    {
        frame = _next;
        if (_next >= _end)
        {
            return false;
        }

        _next += FrameTable.PageBytes;
        return true;
    }
}
