using System;

namespace Exclaves.Sptm;

/// <summary>Looks at every PCI function before Linux does, for devices that get around the SMMU.</summary>
/// <remarks>
/// Two kinds do in an emulator: a virtio device that does not offer VIRTIO_F_ACCESS_PLATFORM reads and writes physical memory directly, and
/// devices that take memory away by frame number (balloon, mem, pmem) or translate for others (iommu). A host bridge of its own has buses
/// that the SMMU may not see. All 256 functions of a bus are asked, whatever the multi-function bits say, and the buses behind bridges, which
/// get numbers for the time of the search. Linux cannot add devices; who can (the emulator's user) is part of the machine.
/// </remarks>
public readonly struct PciCheck<TBus>
    where TBus : struct, IDeviceBus
{
    /// <summary>Bridges behind bridges; more are refused, since each costs stack.</summary>
    public const int MaximumDepth = 8;

    private const uint FunctionsPerBus = 256;
    private const int MaximumCapabilities = 48;

    // Registers of configuration space, in bytes (PCI Local Bus 3.0, 6.1; PCI-to-PCI Bridge 1.2, 3.2).
    private const uint Identity = 0x00;
    private const uint CommandStatus = 0x04;
    private const uint ClassCode = 0x08;
    private const uint HeaderType = 0x0C;
    private const uint BusNumbers = 0x18;
    private const uint CapabilityList = 0x34;

    private const uint HasCapabilities = 1 << 20;
    private const uint HostBridge = 0x0600;
    private const uint EndpointHeader = 0;
    private const uint BridgeHeader = 1;

    // Virtio 1.2, 4.1: ids, and the structures that vendor capabilities describe.
    private const uint VirtioVendor = 0x1AF4;
    private const uint FirstVirtio = 0x1000;
    private const uint FirstModernVirtio = 0x1040;
    private const uint LastVirtio = 0x107F;
    private const uint VendorCapability = 0x09;
    private const uint CommonStructure = 1;
    private const uint AccessStructure = 5;
    private const uint AccessPlatform = 1 << (33 - 32);

    private readonly ulong _configuration;

    /// <param name="configuration">Physical address of the enhanced configuration space of bus 0.</param>
    public PciCheck(ulong configuration) => _configuration = configuration;

    /// <summary>Whether every function may be left to Linux.</summary>
    /// <param name="rule">What is refused, when the answer is false.</param>
    public bool TryAccept(out ReadOnlySpan<byte> rule) => TryAcceptBus(0, out rule);

    private ulong Function(uint bus, uint function) => _configuration + ((ulong)bus << 20) + ((ulong)function << 12);

    private bool TryAcceptBus(uint bus, out ReadOnlySpan<byte> rule)
    {
        for (uint i = 0; i < FunctionsPerBus; i++)
        {
            ulong function = Function(bus, i);
            uint identity = TBus.Read32(function + Identity);
            if ((identity & 0xFFFF) is 0xFFFF or 0)
            {
                continue;
            }

            rule = Judge(function, identity, isFirst: bus == 0 && i == 0);
            if (!rule.IsEmpty || (Header(function) == BridgeHeader && !TryAcceptBehind(function, bus, out rule)))
            {
                return false;
            }
        }

        rule = default;
        return true;
    }

    private static uint Header(ulong function) => (TBus.Read32(function + HeaderType) >> 16) & 0x7F;

    private static ReadOnlySpan<byte> Judge(ulong function, uint identity, bool isFirst)
    {
        uint device = identity >> 16;
        return (identity & 0xFFFF) == VirtioVendor && device is >= FirstVirtio and <= LastVirtio ? JudgeVirtio(function, device)
            : TBus.Read32(function + ClassCode) >> 16 == HostBridge && !isFirst ? "a second PCI host bridge, whose devices the SMMU may not see"u8
            : Header(function) is not (EndpointHeader or BridgeHeader) ? "a PCI bridge of an unknown kind"u8
            : default;
    }

    private static ReadOnlySpan<byte> JudgeVirtio(ulong function, uint device)
    {
        if (device < FirstModernVirtio)
        {
            return "a virtio device with the legacy interface goes past the SMMU: set disable-legacy=on,iommu_platform=on"u8;
        }

        return VirtioRules.IsMemoryTaker(device - FirstModernVirtio) ? "a virtio balloon, memory or iommu device takes memory past the SMMU"u8
            : !OffersAccessPlatform(function) ? "a virtio device goes past the SMMU: set iommu_platform=on"u8
            : default;
    }

    /// <summary>Reads the device's features through configuration space alone: nothing is mapped yet (Virtio 1.2, 4.1.4.9).</summary>
    private static bool OffersAccessPlatform(ulong function)
    {
        if ((TBus.Read32(function + CommandStatus) & HasCapabilities) == 0)
        {
            return false;
        }

        ulong common = 0;
        ulong access = 0;
        uint at = TBus.Read32(function + CapabilityList) & 0xFC;
        for (int i = 0; i < MaximumCapabilities && at != 0; i++)
        {
            uint head = TBus.Read32(function + at);
            if ((head & 0xFF) == VendorCapability)
            {
                common = head >> 24 == CommonStructure && common == 0 ? function + at : common;
                access = head >> 24 == AccessStructure && access == 0 ? function + at : access;
            }

            at = (head >> 8) & 0xFC;
        }

        return common != 0 && access != 0 && (ReadHighFeatures(common, access) & AccessPlatform) != 0;
    }

    /// <summary>Feature bits 32 to 63: the selector is the first word of the common structure, the bits are the second.</summary>
    private static uint ReadHighFeatures(ulong common, ulong access)
    {
        uint structure = TBus.Read32(common + 8);
        TBus.Write32(access + 4, TBus.Read32(common + 4) & 0xFF);
        TBus.Write32(access + 12, sizeof(uint));
        TBus.Write32(access + 8, structure);
        TBus.Write32(access + 16, 1);
        TBus.Write32(access + 8, structure + 4);
        uint features = TBus.Read32(access + 16);
        TBus.Write32(access + 8, structure);
        TBus.Write32(access + 16, 0);
        TBus.Write32(access + 12, 0);
        return features;
    }

    /// <summary>Numbers the bus behind a bridge, looks at it, and puts the old numbers back: Linux numbers buses itself.</summary>
    private bool TryAcceptBehind(ulong bridge, uint bus, out ReadOnlySpan<byte> rule)
    {
        if (bus == MaximumDepth)
        {
            rule = "PCI bridges lie too deep behind each other"u8;
            return false;
        }

        uint before = TBus.Read32(bridge + BusNumbers);
        TBus.Write32(bridge + BusNumbers, (before & 0xFF00_0000) | 0xFF_0000 | ((bus + 1) << 8) | bus);
        bool accepted = TryAcceptBus(bus + 1, out rule);
        TBus.Write32(bridge + BusNumbers, before);
        return accepted;
    }
}
