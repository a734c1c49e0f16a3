namespace Exclaves.Abi;

/// <summary>Where things lie on QEMU's `virt` machine, in physical addresses (bytes).</summary>
/// <remarks>The only file that knows the platform; assembly and linker scripts take these values through the build.</remarks>
public static class Virt
{
    public const ulong RamBase = 0x4000_0000;

    /// <summary>QEMU loads an arm64 `Image` with text_offset 0 at the first 2 MiB boundary above its boot stub.</summary>
    public const ulong ImageBase = 0x4020_0000;

    public const ulong SptmBase = ImageBase;
    public const ulong SptmSlotBytes = 0x20_0000;
    public const ulong SkBase = 0x4040_0000;
    public const ulong SkSlotBytes = 0x20_0000;
    public const ulong ImageHeaderBase = 0x4060_0000;

    /// <summary>Fixed places behind the header: what SPTM must find before anything is verified.</summary>
    public const ulong BootArgumentsBase = ImageHeaderBase + 0x1000;
    public const ulong ManifestBase = ImageHeaderBase + 0x2000;
    public const ulong ManifestBytes = 0x4000;
    public const ulong TxmBase = ManifestBase + ManifestBytes;
    public const ulong TxmSlotBytes = 0x1_A000;

    /// <summary>Component and service tables, then the components.</summary>
    public const ulong TablesBase = TxmBase + TxmSlotBytes;

    public const ulong GicDistributor = 0x0800_0000;
    public const ulong GicRedistributor = 0x080A_0000;
    public const ulong GicRedistributorStride = 0x2_0000;
    public const ulong GicRedistributorFrameBytes = 0x1_0000;
    public const ulong Uart = 0x0900_0000;
    public const ulong FirmwareConfiguration = 0x0902_0000;
    public const ulong Smmu = 0x0905_0000;
    public const ulong VirtioMmio = 0x0A00_0000;
    public const ulong VirtioMmioBytes = 0x4000;
    public const ulong VirtioMmioSlotBytes = 0x200;

    /// <summary>The slot page that carries the entropy device (`bus=virtio-mmio-bus.0`).</summary>
    public const ulong EntropyDevice = VirtioMmio;

    /// <summary>Windows of the PCIe host bridge: ports and 32-bit memory, configuration space, 64-bit memory.</summary>
    public const ulong PcieLow = 0x1000_0000;
    public const ulong PcieLowBytes = 0x3000_0000;
    public const ulong PcieConfiguration = 0x40_1000_0000;
    public const ulong PcieConfigurationBytes = 0x1000_0000;
    public const ulong PcieHigh = 0x80_0000_0000;
    public const ulong PcieHighBytes = 0x80_0000_0000;
    public const ulong RealTimeClock = 0x0901_0000;
    public const ulong Gpio = 0x0903_0000;

    /// <summary>The entropy device's shared peripheral interrupt, edge triggered: slot 0 of virtio-mmio has the first of 32.</summary>
    public const uint EntropyInterrupt = 16;

    /// <summary>The interrupt that the TEE's node names, the only one for which Linux's driver comes to SK: a secure device's, and SPTM pends it when SK needs time.</summary>
    public const uint NotificationInterrupt = EntropyInterrupt;
    public const uint NotificationIntId = 32 + NotificationInterrupt;

    /// <summary>CPUs the tables are sized for; the boot code refuses to bring up more.</summary>
    public const int MaxCpus = 8;
}
