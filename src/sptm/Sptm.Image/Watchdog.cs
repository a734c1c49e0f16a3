using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>The hypervisor's own timer, while TXM runs: nothing that TXM does may keep the machine from starting Linux.</summary>
/// <remarks>Before Linux the interrupt controller is as reset left it; afterwards it is so again, as far as Linux looks.</remarks>
public static class Watchdog
{
    /// <summary>Much longer than a slow emulator on a busy machine needs (10 seconds).</summary>
    private const ulong Seconds = 10;

    /// <summary>CNTHP: private interrupt 26 (BSA, table 8).</summary>
    private const uint Interrupt = 1u << 26;

    // Arm IHI 0069, 12.9 and 12.11: offsets in the distributor, the RD frame and the SGI frame behind it.
    private const ulong DistributorControl = Virt.GicDistributor;
    private const uint EnableGroup1 = 2;
    private const ulong Waker = Virt.GicRedistributor + 0x14;
    private const uint ProcessorSleep = 1 << 1;
    private const uint ChildrenAsleep = 1 << 2;
    private const ulong SgiFrame = Virt.GicRedistributor + Virt.GicRedistributorFrameBytes;
    private const ulong Group = SgiFrame + 0x80;
    private const ulong SetEnable = SgiFrame + 0x100;
    private const ulong ClearEnable = SgiFrame + 0x180;

    /// <summary>From now on the boot CPU's next exception from a lower level may be the timer's.</summary>
    public static void Start()
    {
        Mmio.Write32(DistributorControl, EnableGroup1);
        Mmio.Write32(Waker, 0);
        while ((Mmio.Read32(Waker) & ChildrenAsleep) != 0)
        {
        }

        Mmio.Write32(Group, Interrupt);
        Mmio.Write32(SetEnable, Interrupt);
        El2.StartTimer(Arm64.ReadCntfrqEl0() * Seconds);
    }

    public static void Stop()
    {
        El2.StopTimer();
        Mmio.Write32(ClearEnable, Interrupt);
        Mmio.Write32(Group, 0);
        Mmio.Write32(Waker, ProcessorSleep);
        Mmio.Write32(DistributorControl, 0);
    }
}
