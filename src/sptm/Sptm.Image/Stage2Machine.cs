using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>Stage-2 descriptors in this machine's memory.</summary>
public readonly struct Stage2Machine : IStage2Machine
{
    public static ulong ReadEntry(ulong address) => Mmio.Read64(address);

    public static void WriteEntry(ulong address, ulong value)
    {
        Mmio.Write64(address, value);
        Arm64.DsbIshst();
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        ulong root = vmid == Boot.SecureVmid ? Monitor.SecureTables.TranslationBase : Monitor.LinuxTables.TranslationBase;
        El2.InvalidateIpa(root, ipa >> FrameTable.PageShift);
    }
}
