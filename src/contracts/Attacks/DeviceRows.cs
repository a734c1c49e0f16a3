using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>Devices as attackers, and what lies between them and memory.</summary>
internal static class DeviceRows
{
    private const string Window = "SPTM: the SMMU lets no device out of the window";
    private const string OwnPage = "the same with a page of Linux's own in the window brings the right bytes";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        Of("edu.read", "DMA read of a device", "let the DMA engine of `edu` read a frame of each kind and hand over what it read",
            Window, Control.Without(Defence.DmaWindow)),
        Of("virtio.buffer", "buffer of a virtio ring", "let a virtio disk write frames of each kind to the disk, and the disk into them",
            Window, Control.Without(Defence.DmaWindow)),
        Of("e1000.transmit", "buffer of a sent packet", "let a network card send packets out of frames of each kind and receive them",
            Window, Control.Without(Defence.DmaWindow)),
        Of("edu.peer", "DMA to the registers of another device", "let `edu` read virtio-mmio slots, SMMU, ITS, GIC, fw_cfg and another PCI device",
            Window + ": no device's registers are in it", Control.Without(Defence.DmaWindow)),
        Of("edu.above", "DMA past the window", "let `edu` read and write Linux's own memory above the window, where donated frames lie, and addresses that are no RAM",
            Window, Control.Allowed(OwnPage)),
        Of("edu.stream", "stream id of the attacker's choice", "number the bus of an `edu` behind a bridge 1 to 255 and let it read SPTM",
            "SPTM: every stream id leads to the same closed entry", Control.Allowed("the same device with the same id reaches a page in the window")),
        Of("edu.write", "DMA write of a device", "let the DMA engine of `edu` write a frame of each kind, SPTM's frame table and the SMMU's tables among them",
            Window, Control.Without(Defence.DmaWindow)),
        Of("virtio.ring", "virtio ring in another's frame", "put each part of a virtio disk's queue into secure frames, so that the device reads and writes it there",
            Window, Control.Without(Defence.DmaWindow)),
        Of("e1000.receive", "buffer of a received packet", "let a network card receive packets into frames of each kind", Window, Control.Without(Defence.DmaWindow)),
        Of("e1000.ring", "descriptor ring of a network card", "put a network card's receive and transmit rings into secure frames", Window, Control.Without(Defence.DmaWindow)),
        Of("msi.memory", "message interrupt aimed at memory", "make a frame of each kind the address of a device's message interrupt, and raise it",
            Window, Control.Without(Defence.DmaWindow)),
        Of("msi.doorbell", "message interrupt aimed at a register", "aim a device's message interrupt at the ITS, the interrupt controller, the SMMU, a virtio slot",
            Window + ": no doorbell is in it", Control.Allowed("a message to a page of Linux's own arrives")),
        Of("edu.donated", "DMA around a donation", "let `edu` and a disk read and write a page before it is donated, in flight while it is, while a conclave has it, and while it comes back",
            Window + ", and none of it is ever donated", Control.Without(Defence.DmaWindow)),
        Of("msix.memory", "table of message interrupts aimed at memory", "make a frame of each kind the address in a disk's MSI-X table, and have it end a request",
            Window, Control.Without(Defence.DmaWindow)),
        Of("msix.doorbell", "table of message interrupts aimed at a register", "aim a disk's MSI-X table at the ITS, the interrupt controller, the SMMU, a virtio slot",
            Window + ": no doorbell is in it", Control.Allowed("a message to a page of Linux's own arrives")),
        Of("pci.bar", "base register over memory", "lay a device's registers over secure frames, then reach them by CPU and by another device",
            "SPTM: stage 2 and SMMU know addresses of memory as memory alone", Control.Allowed("registers in their own window answer; memory of Linux under them stays memory")),
        new("lpi.oracle.its", Invariant.I4, Stand.Device, "LPI tables of the interrupt controller",
            "the pending-table oracle of lpi.oracle on a machine whose interrupt controller has an ITS",
            "SPTM: LPI registers are not there", Control.Without(Defence.LpiTables), AttackMachine.Devices),
        new("its.registers", Invariant.I4, Stand.Kernel, "registers of the interrupt translation service",
            "read and write the ITS's control, table and queue registers, with SPTM's address in them",
            "SPTM: Linux's stage 2 maps no ITS", Control.Allowed("a register of the distributor is read"), AttackMachine.Devices),
        new("hidden.registers", Invariant.I4, Stand.Kernel, "registers of devices that are nobody's",
            "read and write flash, hotplug and NVDIMM registers, the platform bus, secure UART and GPIO, and interrupt controller frames that are not there",
            "SPTM: Linux's stage 2 maps what its table of devices names", Control.Allowed("a register of the distributor is read")),
        new("lpi.registers", Invariant.I4, Stand.Kernel, "LPI registers of the redistributors",
            "write every LPI register of every redistributor, 4 and 8 bytes wide, with SPTM's address",
            "SPTM: LPI registers are not there", Control.Without(Defence.LpiTables)),
        new("fwcfg.dma", Invariant.I4, Stand.Kernel, "DMA engine of fw_cfg",
            "ask fw_cfg, which no IOMMU confines, to write into a frame of each kind",
            "SPTM: Linux's stage 2 maps no fw_cfg", Control.Without(Defence.SecureDevices)),
        new("smmu.registers", Invariant.I4, Stand.Kernel, "registers of the SMMU",
            "switch the SMMU off and point its tables and queues elsewhere",
            "SPTM: Linux's stage 2 maps no SMMU", Control.Without(Defence.SecureDevices)),
        new("slot.registers", Invariant.I4, Stand.Kernel, "queue registers of virtio-mmio slots",
            "read and program slots on all four pages, with a queue in SPTM",
            "SPTM: Linux's stage 2 maps no virtio-mmio slot", Control.Without(Defence.SecureDevices)),
    ];

    private static AttackRow Of(string name, string mechanism, string tried, string stoppedBy, Control control) =>
        new(name, Invariant.I4, Stand.Device, mechanism, tried, stoppedBy, control, AttackMachine.Devices);
}
