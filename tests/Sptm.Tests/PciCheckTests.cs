using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Devices that get around the SMMU, wherever they sit; a fake configuration space with buses that exist only when numbered.</summary>
public class PciCheckTests
{
    private const ulong Space = 0x40_1000_0000;

    /// <summary>One function: its words, and the registers behind its virtio access capability.</summary>
    private sealed class Function
    {
        public Dictionary<uint, uint> Words { get; } = [];

        /// <summary>Device feature bits 32 to 63; null: no such device.</summary>
        public uint? HighFeatures { get; init; }

        public uint Selector { get; set; }

        /// <summary>Behind a bridge, by function number.</summary>
        public Dictionary<uint, Function> Behind { get; } = [];

        public bool IsBridge => ((Words.GetValueOrDefault(0xCu) >> 16) & 0x7F) == 1;
    }

    private static Function Device(uint vendor, uint device, uint classCode = 0x02_0000, uint header = 0)
    {
        Function function = new();
        function.Words[0] = vendor | (device << 16);
        function.Words[8] = classCode << 8;
        function.Words[0xC] = header << 16;
        return function;
    }

    private static Function Bridge(params (uint At, Function Function)[] behind)
    {
        Function bridge = Device(0x1B36, 0xC, 0x06_0400, 1);
        foreach ((uint at, Function function) in behind)
        {
            bridge.Behind[at] = function;
        }

        return bridge;
    }

    /// <summary>A modern device whose common structure lies at 0x1000 of BAR 4, as QEMU lays it out.</summary>
    private static Function Virtio(uint type, uint? highFeatures = 3)
    {
        Function function = new() { HighFeatures = highFeatures };
        function.Words[0] = 0x1AF4 | ((0x1040 + type) << 16);
        function.Words[4] = 1 << 20;
        function.Words[0x34] = 0x98;

        // MSI-X, then notify (2), common (1) and access (5) structures.
        function.Words[0x98] = 0x11 | (0x40 << 8);
        function.Words[0x40] = 0x09 | (0x50 << 8) | (0x14 << 16) | (2u << 24);
        function.Words[0x50] = 0x09 | (0x70 << 8) | (0x10 << 16) | (1u << 24);
        function.Words[0x54] = 4;
        function.Words[0x58] = 0x1000;
        function.Words[0x70] = 0x09 | (0x14u << 16) | (5u << 24);
        return function;
    }

    private static Function HostBridge() => Device(0x1B36, 8, 0x06_0000);

    private static Function? Find(Dictionary<uint, Function> bus, uint number, uint wanted, uint function)
    {
        if (number == wanted)
        {
            return bus.GetValueOrDefault(function);
        }

        foreach (Function bridge in bus.Values.Where(one => one.IsBridge))
        {
            uint numbers = bridge.Words.GetValueOrDefault(0x18u);
            uint secondary = (numbers >> 8) & 0xFF;
            if (secondary != 0 && secondary <= wanted && wanted <= ((numbers >> 16) & 0xFF))
            {
                return Find(bridge.Behind, secondary, wanted, function);
            }
        }

        return null;
    }

    private static string Check(params (uint At, Function Function)[] functions)
    {
        Dictionary<uint, Function> root = new() { [0] = HostBridge() };
        foreach ((uint at, Function function) in functions)
        {
            root[at] = function;
        }

        Function? At(ulong address) => Find(root, 0, (uint)((address - Space) >> 20), (uint)((address >> 12) & 0xFF));
        FakeBus.Reset(
            (address, value) =>
            {
                if (At(address) is { } function)
                {
                    uint register = (uint)address & 0xFFF;
                    function.Words[register] = value;
                    if (register == 0x80 && function.Words.GetValueOrDefault(0x7Cu) == 4 && function.Words.GetValueOrDefault(0x78u) == 0x1000)
                    {
                        function.Selector = value;
                    }
                }
            },
            address =>
            {
                Function? function = At(address);
                uint register = (uint)address & 0xFFF;
                bool window = register == 0x80 && function?.HighFeatures is not null;
                return function is null ? uint.MaxValue
                    : window ? function.Words.GetValueOrDefault(0x78u) == 0x1004 && function.Words.GetValueOrDefault(0x7Cu) == 4 && function.Selector == 1 ? function.HighFeatures!.Value : 0
                    : function.Words.GetValueOrDefault(register);
            });
        bool accepted = new PciCheck<FakeBus>(Space).TryAccept(out ReadOnlySpan<byte> rule);
        Assert.Equal(accepted, rule.IsEmpty);
        AssertNumbersAreBack(root);
        return Encoding.ASCII.GetString(rule);
    }

    private static void AssertNumbersAreBack(Dictionary<uint, Function> bus)
    {
        foreach (Function bridge in bus.Values.Where(one => one.IsBridge))
        {
            Assert.Equal(0u, bridge.Words.GetValueOrDefault(0x18u));
            AssertNumbersAreBack(bridge.Behind);
        }
    }

    [Fact]
    public void DevicesBehindTheSmmuAreAccepted() =>
        Assert.Empty(Check((8, Virtio(2)), (16, Virtio(1)), (24, Virtio(9)), (32, Device(0x8086, 0x100E)), (40, Device(0x1234, 0x11E8, 0x00_FF00)), (48, Bridge((0, Virtio(2))))));

    [Theory, InlineData(0u), InlineData(1u), InlineData(0xFFFF_FFFDu)]
    public void AVirtioDeviceWithoutAccessPlatformIsRefused(uint features) => Assert.Contains("iommu_platform=on", Check((8, Virtio(2, features))));

    [Fact]
    public void AVirtioDeviceWhoseFeaturesCannotBeReadIsRefused()
    {
        foreach (uint missing in new uint[] { 0x04, 0x34, 0x50, 0x70 })
        {
            Function device = Virtio(2);
            device.Words[missing] = missing is 0x04 or 0x34 ? 0 : device.Words[missing] & 0x00FF_FFFF;
            Assert.Contains("iommu_platform=on", Check((8, device)));
        }
    }

    [Fact]
    public void CapabilitiesInACircleEndTheSearch()
    {
        Function device = Virtio(2);
        device.Words[0x40] = (device.Words[0x40] & ~0xFF00u) | (0x98 << 8);
        Assert.Contains("iommu_platform=on", Check((8, device)));
    }

    [Theory, InlineData(0x1000u), InlineData(0x1002u), InlineData(0x103Fu)]
    public void LegacyVirtioDevicesAreRefused(uint device) => Assert.Contains("legacy", Check((8, Device(0x1AF4, device))));

    [Theory, InlineData(5u), InlineData(13u), InlineData(23u), InlineData(24u), InlineData(27u)]
    public void DevicesThatTakeMemoryAreRefused(uint type) => Assert.Contains("balloon", Check((8, Virtio(type))));

    [Fact]
    public void EveryPlaceIsLookedAt()
    {
        for (uint at = 1; at < 256; at++)
        {
            Assert.Contains("balloon", Check((at, Virtio(5))));
            Assert.Contains("balloon", Check((8, Bridge((at, Virtio(5))))));
        }
    }

    [Fact]
    public void BridgesBehindBridgesAreFollowedToALimit()
    {
        Function chain = Virtio(5);
        for (int depth = 0; depth < PciCheck<FakeBus>.MaximumDepth; depth++)
        {
            chain = Bridge((0, Device(0x8086, 1)), (9, chain));
        }

        Assert.Contains("balloon", Check((8, Bridge()), (9, Bridge((3, Virtio(2)))), (10, chain)));
        Assert.Contains("too deep", Check((10, Bridge((0, chain)))));
    }

    [Theory, InlineData(8u), InlineData(255u)]
    public void AnotherHostBridgeIsRefused(uint at) => Assert.Contains("second PCI host bridge", Check((at, Device(0x1B36, 0xB, 0x06_0000))));

    [Fact]
    public void ACardBusBridgeIsRefused() => Assert.Contains("unknown kind", Check((8, Device(0x104C, 0xAC50, 0x06_0700, 2))));

    [Theory]
    [InlineData(0u, true)]
    [InlineData(4u, true)]
    [InlineData(1u, false)]
    [InlineData(2u, false)]
    [InlineData(5u, false)]
    [InlineData(24u, false)]
    public void OnlyTheEntropySourceMaySitInAVirtioSlot(uint type, bool accepted)
    {
        for (ulong slot = 0; slot < 32; slot++)
        {
            FakeBus.Reset();
            for (ulong i = 0; i < 32; i++)
            {
                FakeBus.Words[Virt.VirtioMmio + (i * 0x200)] = 0x7472_6976;
                FakeBus.Words[Virt.VirtioMmio + (i * 0x200) + 8] = i == slot ? type : 0;
            }

            Assert.Equal(accepted, VirtioRules.TryAcceptSlots<FakeBus>(out ReadOnlySpan<byte> rule));
            Assert.Equal(accepted, rule.IsEmpty);
        }
    }
}
