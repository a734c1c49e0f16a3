using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Which virtio devices the machine may have (device types: Virtio 1.2, 5).</summary>
public static class VirtioRules
{
    private const uint Entropy = 4;
    private const uint Balloon = 5;
    private const uint MemoryBalloon = 13;
    private const uint Iommu = 23;
    private const uint Memory = 24;
    private const uint PersistentMemory = 27;

    private const uint Magic = 0x7472_6976;
    private const ulong MagicRegister = 0;
    private const ulong DeviceRegister = 8;

    /// <summary>Takes memory away by frame number, past any IOMMU, or is one itself.</summary>
    public static bool IsMemoryTaker(uint type) => type is Balloon or MemoryBalloon or Iommu or Memory or PersistentMemory;

    /// <summary>
    /// Whether the virtio-mmio slots hold only what is known there. No slot is behind the SMMU and eight share a page, so the one driver that
    /// the secure world trusts there is for random numbers; a slot may also be empty.
    /// </summary>
    public static bool TryAcceptSlots<TBus>(out ReadOnlySpan<byte> rule)
        where TBus : struct, IDeviceBus
    {
        for (ulong slot = Virt.VirtioMmio; slot < Virt.VirtioMmio + Virt.VirtioMmioBytes; slot += Virt.VirtioMmioSlotBytes)
        {
            if (TBus.Read32(slot + MagicRegister) == Magic && TBus.Read32(slot + DeviceRegister) is not (0 or Entropy))
            {
                rule = "a virtio-mmio device other than the entropy source, which no IOMMU confines"u8;
                return false;
            }
        }

        rule = default;
        return true;
    }
}
