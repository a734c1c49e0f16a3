using System;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>Stage-2 descriptors in this machine's memory.</summary>
public readonly struct Stage2Machine : IStage2Machine
{
    public static ulong ReadEntry(ulong address) => Mmio.Read64(address);

    public static void WriteEntry(ulong address, ulong value)
    {
        SelfCheck.Write(address, value);
        Mmio.Write64(address, value);
        Arm64.DsbIshst();
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        ulong vttbr = BaseOf(vmid);
        El2.InvalidateIpa(vttbr, ipa >> FrameTable.PageShift);
        SelfCheck.Invalidated(vttbr, ipa);
    }

    public static void InvalidateAll(ushort vmid)
    {
        ulong vttbr = BaseOf(vmid);
        El2.InvalidateVmid(vttbr);
        SelfCheck.InvalidatedAll(vttbr);
    }

    public static unsafe void ClearPage(ulong address)
    {
        SelfCheck.Clear(address);

        // SAFETY: callers name a frame of RAM that nobody maps while it is cleared.
        new Span<byte>((void*)address, (int)FrameTable.PageBytes).Clear();
        El2.CleanRange(address, address + FrameTable.PageBytes);
    }

    public static ref ushort Deviations(ulong table) => ref Monitor.Frames.Entry(table).BorrowCount;

    private static ulong BaseOf(ushort vmid) =>
        vmid == Boot.SecureVmid ? Monitor.SecureTables.TranslationBase : Monitor.LinuxTables.TranslationBase;
}
