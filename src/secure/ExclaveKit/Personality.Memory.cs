using System;
using System.Numerics;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Memory. Reservations cost nothing; pages are charged against the quota when they become writable, so that the program is told "no memory" where it can
/// still act on it; frames come on touch.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong ProtectRead = 1;
    private const ulong ProtectWrite = 2;
    private const ulong ProtectExecute = 4;
    private const ulong MapShared = 1;
    private const ulong MapTypeMask = 3;
    private const ulong MapFixed = 0x10;
    private const ulong MapAnonymous = 0x20;
    private const ulong MapFixedNoReplace = 0x10_0000;
    private const ulong AdviceDontNeed = 4;
    private const ulong AdviceFree = 8;
    private const ulong BreakBytes = 0x1000_0000;

    /// <summary>Pages that one fault backs, when its neighbours are as empty: an aligned group.</summary>
    private const int ClusterPages = 4;

    private static bool IsInMmapArea(ulong start, ulong bytes) =>
        Page.IsAligned(start) && start >= UserLayout.MmapBase && bytes <= UserLayout.MmapEnd - UserLayout.MmapBase
        && start <= UserLayout.MmapEnd - bytes;

    private static bool TryAccess(ulong protection, out MemoryAccess access)
    {
        access = MemoryAccess.None;
        if ((protection & ~(ProtectRead | ProtectWrite)) != 0) { return false; }

        // As on Linux, what can be written can be read.
        access = (protection & ProtectWrite) != 0 ? MemoryAccess.Read | MemoryAccess.Write
            : protection != 0 ? MemoryAccess.Read
            : MemoryAccess.None;
        return true;
    }

    private ulong MapPages(ulong hint, ulong length, ulong protection, ulong flags, ulong file)
    {
        ulong bytes = Page.Up(length);
        if (length == 0 || bytes < length || (flags & MapTypeMask) == 0) { return Result.Of(Errno.InvalidArgument); }

        // Code comes from the measured image alone, and there are no files.
        if (!TryAccess(protection, out MemoryAccess access)) { return Result.Of(Errno.NotPermitted); }

        if ((flags & MapAnonymous) == 0) { return Result.Of(file < PseudoFileTable.Capacity ? Errno.NoDevice : Errno.BadFile); }

        bool isFixed = (flags & (MapFixed | MapFixedNoReplace)) != 0;
        ulong start = hint;
        if (isFixed)
        {
            if (!Page.IsAligned(hint)) { return Result.Of(Errno.InvalidArgument); }

            if (!IsInMmapArea(hint, bytes)) { return Result.Of(Errno.NoMemory); }

            if ((flags & MapFixedNoReplace) != 0 && !_state.Regions.IsFree(hint, hint + bytes)) { return Result.Of(Errno.Exists); }
        }
        else if (!TryPlace(ref start, bytes))
        {
            return Result.Of(Errno.NoMemory);
        }

        return TryInstall(start, start + bytes, access) ? start : Result.Of(Errno.NoMemory);
    }

    /// <summary>Takes a hint that is free, or else the lowest hole.</summary>
    private bool TryPlace(ref ulong start, ulong bytes)
    {
        start = Page.Down(start);
        if (start != 0 && IsInMmapArea(start, bytes) && _state.Regions.IsFree(start, start + bytes)) { return true; }

        start = _state.Regions.FindHole(bytes, UserLayout.MmapBase + BreakBytes, UserLayout.MmapEnd);
        return start != 0;
    }

    /// <summary>Maps the range anew, in place of whatever is there. Either all of it happens or nothing.</summary>
    private bool TryInstall(ulong start, ulong end, MemoryAccess access)
    {
        bool charged = (access & MemoryAccess.Write) != 0;
        ulong pages = charged ? Page.Count(start, end) : 0;
        ulong released = _state.Regions.ChargedPages(start, end, charged: true);

        // Removing may take one more region and adding another: make sure of both before anything changes.
        if ((pages > released && !MayCharge(_state.CommittedPages - released + pages)) || _state.Regions.Count > RegionMap.Capacity - 2) { return false; }

        DropFrames(start, end);
        bool done = _state.Regions.TryRemove(start, end)
            && _state.Regions.TryAdd(new Region { Start = start, End = end, Access = access, Charged = charged });
        _state.CommittedPages += pages;
        _state.CommittedPages -= released;
        return done;
    }

    private ulong UnmapPages(ulong start, ulong length)
    {
        ulong bytes = Page.Up(length);
        if (length == 0 || bytes < length || !Page.IsAligned(start) || start > UserLayout.End - Math.Min(bytes, UserLayout.End))
        {
            return Result.Of(Errno.InvalidArgument);
        }

        ulong released = _state.Regions.ChargedPages(start, start + bytes, charged: true);
        if (!_state.Regions.TryRemove(start, start + bytes)) { return Result.Of(Errno.NoMemory); }

        DropFrames(start, start + bytes);
        _state.CommittedPages -= released;
        return Result.Ok;
    }

    private ulong ProtectPages(ulong start, ulong length, ulong protection)
    {
        ulong bytes = Page.Up(length);
        if (!Page.IsAligned(start)) { return Result.Of(Errno.InvalidArgument); }

        if (length == 0) { return Result.Ok; }

        if (!TryAccess(protection, out MemoryAccess access)) { return Result.Of(Errno.AccessDenied); }

        if (_state.Image.TryFind(start, out Region segment)) { return ProtectImage(in segment, start, bytes, access); }

        if (bytes < length || !IsInMmapArea(start, bytes) || !_state.Regions.Covers(start, start + bytes)) { return Result.Of(Errno.NoMemory); }

        ulong end = start + bytes;
        bool charge = (access & MemoryAccess.Write) != 0;
        ulong added = charge ? _state.Regions.ChargedPages(start, end, charged: false) : 0;
        if ((added != 0 && !MayCharge(_state.CommittedPages + added)) || !_state.Regions.TrySetAccess(start, end, access, charge))
        {
            return Result.Of(Errno.NoMemory);
        }

        _state.CommittedPages += added;
        ProtectFrames(start, end, access);
        return Result.Ok;
    }

    /// <summary>The program's own data: SK decides, since it knows what may be written.</summary>
    private ulong ProtectImage(in Region segment, ulong start, ulong bytes, MemoryAccess access)
    {
        if (bytes == 0 || bytes > segment.End - start) { return Result.Of(Errno.NoMemory); }

        return _machine.Protect(start, bytes >> Page.Shift, access) == Status.Ok ? Result.Ok : Result.Of(Errno.AccessDenied);
    }

    private ulong AdvisePages(ulong start, ulong length, ulong advice)
    {
        ulong bytes = Page.Up(length);
        if (!Page.IsAligned(start) || bytes < length) { return Result.Of(Errno.InvalidArgument); }

        if (bytes == 0) { return Result.Ok; }

        if (!IsInMmapArea(start, bytes) || !_state.Regions.Covers(start, start + bytes)) { return Result.Of(Errno.NoMemory); }

        // DONTNEED promises zeros; FREE may do the same at once. Everything else is a hint that changes nothing one could see.
        if (advice is AdviceDontNeed or AdviceFree) { DropFrames(start, start + bytes); }

        return Result.Ok;
    }

    /// <summary>The C library's small heap: the first part of the mmap area, left free by <see cref="TryPlace"/>.</summary>
    private ulong SetBreak(ulong address)
    {
        ulong end = Page.Up(address);
        if (address < _state.BreakStart || end > _state.BreakStart + BreakBytes) { return _state.BreakEnd; }

        ulong current = Page.Up(_state.BreakEnd);
        if (end > current && !TryInstall(current, end, MemoryAccess.Read | MemoryAccess.Write)) { return _state.BreakEnd; }

        if (end < current && Result.IsError(UnmapPages(end, current - end))) { return _state.BreakEnd; }

        _state.BreakEnd = address;
        return address;
    }

    private void DropFrames(ulong start, ulong end)
    {
        ulong cursor = 0;
        while (_state.Resident.Next(Page.Number(start), Page.Number(end), ref cursor, out ulong chunk, out ulong bits))
        {
            _state.Resident.Clear(chunk, bits);
            while (bits != 0)
            {
                int first = ResidentMap.Run(bits, out int length);
                bits &= ~ResidentMap.RunMask(first, length);
                _machine.Unmap(AddressOf(chunk, first), (ulong)length);
            }
        }
    }

    private void ProtectFrames(ulong start, ulong end, MemoryAccess access)
    {
        ulong cursor = 0;
        while (_state.Resident.Next(Page.Number(start), Page.Number(end), ref cursor, out ulong chunk, out ulong bits))
        {
            while (bits != 0)
            {
                int first = ResidentMap.Run(bits, out int length);
                bits &= ~ResidentMap.RunMask(first, length);
                if (_machine.Protect(AddressOf(chunk, first), (ulong)length, access) != Status.Ok)
                {
                    End("SK refuses to protect a page that it has mapped."u8, 1);
                }
            }
        }
    }

    private static ulong AddressOf(ulong chunk, int page) => ((chunk * ResidentMap.PagesPerChunk) + (ulong)page) << Page.Shift;

    /// <summary>Makes every page of the range present, if the program may access it so.</summary>
    private bool TryTouch(ulong address, ulong bytes, MemoryAccess access)
    {
        if (bytes == 0) { return true; }

        ulong last = unchecked(address + bytes - 1);
        if (last < address) { return false; }

        for (ulong page = Page.Down(address); page <= last; page += Page.Bytes)
        {
            if (_state.Image.TryFind(page, out Region segment))
            {
                if ((segment.Access & access) != access) { return false; }
            }
            else if (!TryBack(page, access))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes one page present; false when nothing is mapped there, or not for this access.</summary>
    /// <param name="mayWait">True: the thread waits for a frame when there is none, and what it does is done again. Else there is always one, but where SK has given Linux's memory back
    /// and all of its own is in use: the conclave ends then.</param>
    private bool TryBack(ulong page, MemoryAccess access, bool mayWait = false)
    {
        if (!_state.Regions.TryFind(page, out Region region) || (region.Access & access) != access) { return false; }

        ulong number = Page.Number(page);
        ulong chunk = ResidentMap.ChunkOf(number);
        if (!_state.Resident.Contains(number)) { Back(in region, number, chunk, mayWait); }

        return true;
    }

    /// <summary>Gives the page a frame, and its neighbours in the aligned group theirs if all of them are empty.</summary>
    private void Back(in Region region, ulong number, ulong chunk, bool mayWait)
    {
        if (!_state.Resident.TryPrepare(chunk)) { End("the pages in use are too scattered."u8, 1); }

        ulong first = number & ~(ulong)(ClusterPages - 1);
        ulong mask = ResidentMap.MaskOf(chunk, first, first + ClusterPages);
        bool isWhole = first >= Page.Number(region.Start) && first + ClusterPages <= Page.Number(region.End)
            && (_state.Resident.BitsOf(chunk) & mask) == 0;
        if (isWhole && _machine.Map(first << Page.Shift, ClusterPages, region.Access) == Status.Ok)
        {
            _state.Resident.Set(chunk, mask);
            _state.Statistics[(int)KitStatistic.PageFaults] += ClusterPages;
            return;
        }

        if (_machine.Map(number << Page.Shift, 1, region.Access) != Status.Ok)
        {
            if (mayWait && _state.CommitLimit > _state.OwnPages && !Current.MemoryRefused)
            {
                WaitForMemory(MinWantedPages);
                return;
            }

            // The charge was granted, so this means that page tables have eaten the reserve.
            End("no frame is left for a page that was granted."u8, ExitCode.QuotaExhausted);
        }

        _state.Resident.Set(chunk, 1UL << (int)(number % ResidentMap.PagesPerChunk));
        Count(KitStatistic.PageFaults);
    }
}
