using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What of the device address space belongs to whom. What no row names is nobody's.</summary>
/// <remarks>
/// Left out for Linux on purpose: fw_cfg (has a DMA engine), the virtio-mmio slots (no IOMMU), the ITS, the SMMU, the flash banks, and
/// the RD frames of the redistributors, which <see cref="RedistributorPolicy"/> emulates.
/// </remarks>
public static class DeviceMap
{
    /// <summary>XNU_IO: base and bytes, in pairs.</summary>
    public static ReadOnlySpan<ulong> Linux =>
    [
        Virt.GicDistributor, 0x1_0000,
        Virt.Uart, 0x1000,
        Virt.RealTimeClock, 0x1000,
        Virt.Gpio, 0x1000,
        Virt.PcieLow, Virt.PcieLowBytes,
        Virt.PcieConfiguration, Virt.PcieConfigurationBytes,
        Virt.PcieHigh, Virt.PcieHighBytes,
    ];

    /// <summary>SK_IO: base and bytes, in pairs.</summary>
    public static ReadOnlySpan<ulong> Secure =>
    [
        Virt.EntropyDevice, 0x1000,
    ];

    /// <summary>Writes memory, or keeps others from it: mapped only on a build without <see cref="Defence.SecureDevices"/>.</summary>
    public static ReadOnlySpan<ulong> Closed =>
    [
        Virt.FirmwareConfiguration, 0x1000,
        Virt.Smmu, 0x2_0000,
        Virt.VirtioMmio + 0x1000, Virt.VirtioMmioBytes - 0x1000,
    ];

    /// <summary>RD frame of a redistributor; the SGI frame follows it.</summary>
    public static ulong RedistributorFrame(int cpu) => Virt.GicRedistributor + ((ulong)cpu * Virt.GicRedistributorStride);

    /// <summary>Whether <paramref name="address"/> is in an RD frame, and at which offset.</summary>
    public static bool IsRedistributorFrame(ulong address, int cpuCount, out uint offset)
    {
        ulong relative = address - Virt.GicRedistributor;
        offset = (uint)(relative % Virt.GicRedistributorStride);
        return relative < (ulong)cpuCount * Virt.GicRedistributorStride && offset < Virt.GicRedistributorFrameBytes;
    }
}
