using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Reading and rewriting device trees, whole ones and damaged ones.</summary>
public class DeviceTreeTests
{
    private const string Compatible = "linaro,optee-tz\0";

    /// <summary>A tree builder of its own, so that the writer under test does not check itself.</summary>
    private sealed class Builder
    {
        private readonly List<byte> _structure = [];
        private readonly List<byte> _strings = [];

        public Builder Begin(string name)
        {
            Word(1);
            _structure.AddRange(Encoding.ASCII.GetBytes(name + "\0"));
            return Pad();
        }

        public Builder End()
        {
            Word(2);
            return this;
        }

        public Builder Property(string name, params byte[] value)
        {
            Word(3);
            Word((uint)value.Length);
            Word((uint)_strings.Count);
            _strings.AddRange(Encoding.ASCII.GetBytes(name + "\0"));
            _structure.AddRange(value);
            return Pad();
        }

        public byte[] Build()
        {
            Word(9);
            byte[] blob = new byte[56 + _structure.Count + _strings.Count];
            uint[] header = [0xD00DFEED, (uint)blob.Length, 56, (uint)(56 + _structure.Count), 40, 17, 16, 0, (uint)_strings.Count, (uint)_structure.Count];
            for (int i = 0; i < header.Length; i++)
            {
                BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(i * 4), header[i]);
            }

            _structure.CopyTo(blob, 56);
            _strings.CopyTo(blob, 56 + _structure.Count);
            return blob;
        }

        private void Word(uint value)
        {
            byte[] bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
            _structure.AddRange(bytes);
        }

        private Builder Pad()
        {
            while (_structure.Count % 4 != 0)
            {
                _structure.Add(0);
            }

            return this;
        }
    }

    private static byte[] Wide(params ulong[] values)
    {
        byte[] bytes = new byte[values.Length * 8];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * 8), values[i]);
        }

        return bytes;
    }

    private static byte[] Words(params uint[] values)
    {
        byte[] bytes = new byte[values.Length * 4];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * 4), values[i]);
        }

        return bytes;
    }

    private static byte[] Machine(ulong ramBase = Virt.RamBase, ulong ramBytes = 0x8000_0000, int cpus = 2, string? extraNode = null, bool smmu = true, uint[]? iommuMap = null, ulong configuration = Virt.PcieConfiguration, string pci = "pcie@10000000", int pciNodes = 1)
    {
        Builder tree = new Builder().Begin("").Property("compatible", Encoding.ASCII.GetBytes("linux,dummy-virt\0"));
        tree.Begin("memory@40000000").Property("reg", Wide(ramBase, ramBytes)).End();
        tree.Begin("cpus");
        for (int i = 0; i < cpus; i++)
        {
            tree.Begin($"cpu@{i}").Property("reg", 0, 0, 0, (byte)i).End();
        }

        tree.End();
        tree.Begin("fw-cfg@9020000").Property("reg", Wide(0x9020000, 0x18)).End();
        tree.Begin("virtio_mmio@a000000").Property("reg", Wide(0xa000000, 0x200)).Begin("child").End().End();
        tree.Begin("flash@0").End();
        tree.Begin("intc@8000000").Begin("its@8080000").End().Property("kept", 1).End();
        if (smmu)
        {
            tree.Begin("smmuv3@9050000").Property("reg", Wide(Virt.Smmu, 0x2_0000)).End();
        }

        for (int i = 0; i < pciNodes; i++)
        {
            tree.Begin(pci).Property("device_type", Encoding.ASCII.GetBytes("pci\0")).Property("reg", Wide(configuration, 0x1000_0000));
            tree.Property("iommu-map", Words(iommuMap ?? [0, 0x8004, 0, 0x1_0000])).Property("msi-map", Words([0, 0x8003, 0, 0x1_0000]));
            tree.Property("dma-ranges", 7).Property("dma-coherent").End();
        }

        byte[] seed = new byte[32];
        for (int i = 0; i < seed.Length; i++)
        {
            seed[i] = (byte)i;
        }

        tree.Begin("chosen").Property("bootargs", (byte)'x', 0).Property("rng-seed", seed).Property("stdout-path", (byte)'/', 0).End();
        if (extraNode is not null)
        {
            tree.Begin(extraNode).End();
        }

        return tree.End().Build();
    }

    private static DeviceTreeEdits Edits() => new()
    {
        Status = ExclavesStatus.NotStarted,
        ImageBase = 0x4020_0000,
        ImageBytes = 0x60_0000,
        PoolBase = 0xB800_0000,
        PoolBytes = 0x800_0000,
        InitramfsBase = 0x4400_0000,
        InitramfsEnd = 0x4410_0000,
        BootArguments = "console=ttyAMA0"u8,
    };

    /// <summary>"path" and "path:property" to value, of a whole tree.</summary>
    private static Dictionary<string, byte[]> Flatten(ReadOnlySpan<byte> blob)
    {
        Dictionary<string, byte[]> all = [];
        Stack<string> path = new();
        Assert.True(DeviceTreeReader.TryOpen(blob, out DeviceTreeReader reader));
        while (true)
        {
            switch (reader.Next())
            {
                case DeviceTreeToken.BeginNode:
                    path.Push((path.Count > 1 ? path.Peek() : "") + "/" + Encoding.ASCII.GetString(reader.Name));
                    all.Add(path.Peek(), []);
                    break;
                case DeviceTreeToken.EndNode:
                    path.Pop();
                    break;
                case DeviceTreeToken.Property:
                    all.Add(path.Peek() + ":" + Encoding.ASCII.GetString(reader.Name), reader.Value.ToArray());
                    break;
                case DeviceTreeToken.End:
                    return all;
                default:
                    Assert.Fail("malformed");
                    break;
            }
        }
    }

    private static Dictionary<string, byte[]> Edit(byte[] input)
    {
        byte[] output = new byte[0x1_0000];
        Assert.True(DeviceTreeEditor.TryEdit(input, output, Edits(), out int length, out _));
        return Flatten(output.AsSpan(0, length));
    }

    [Fact]
    public void TheMachineIsRead()
    {
        Assert.True(MachineDescription.TryRead(Machine(cpus: 3), out MachineDescription machine, out _));
        Assert.Equal((0x8000_0000ul, 3), (machine.RamBytes, machine.CpuCount));
        Assert.Equal(0x0706_0504_0302_0100ul, machine.Seed0);
    }

    [Theory]
    [InlineData(0x8000_0000ul, 0x8000_0000ul, 1)]
    [InlineData(Virt.RamBase, 0x800_0000ul, 1)]
    [InlineData(Virt.RamBase, 0x2_0000_0000ul, 1)]
    [InlineData(Virt.RamBase, 0x8000_0000ul, 0)]
    [InlineData(Virt.RamBase, 0x8000_0000ul, 9)]
    public void OtherMachinesAreRefusedWithARule(ulong ramBase, ulong ramBytes, int cpus)
    {
        Assert.False(MachineDescription.TryRead(Machine(ramBase, ramBytes, cpus), out _, out ReadOnlySpan<byte> rule));
        Assert.False(rule.IsEmpty);
    }

    [Fact]
    public void SecureDevicesAreHiddenAndNothingElse()
    {
        Dictionary<string, byte[]> before = Flatten(Machine());
        Dictionary<string, byte[]> after = Edit(Machine());
        foreach (string key in before.Keys)
        {
            bool hidden = key.Contains("fw-cfg", StringComparison.Ordinal) || key.Contains("virtio_mmio", StringComparison.Ordinal)
                || key.Contains("flash", StringComparison.Ordinal) || key.Contains("its@", StringComparison.Ordinal) || key.Contains("iommu-map", StringComparison.Ordinal)
                || key.Contains("smmuv3", StringComparison.Ordinal) || key.Contains("msi-map", StringComparison.Ordinal);
            Assert.Equal(!hidden, after.ContainsKey(key));
        }

        Assert.Equal([1], after["/intc@8000000:kept"]);
    }

    [Fact]
    public void LinuxLearnsTheWindowOfItsDevices()
    {
        Dictionary<string, byte[]> after = Edit(Machine());
        Assert.Equal(Words(0x0200_0000, 0, 0x4000_0000, 0, 0x4000_0000, 0, 0x4000_0000), after["/pcie@10000000:dma-ranges"]);
        Assert.Empty(after["/pcie@10000000:dma-coherent"]);
        Assert.DoesNotContain(Edit(Machine(pciNodes: 0)).Keys, key => key.Contains("dma-ranges", StringComparison.Ordinal));
    }

    [Fact]
    public void PciDevicesMustBeBehindAnSmmu()
    {
        Assert.True(MachineDescription.TryRead(Machine(), out MachineDescription machine, out _));
        Assert.True(machine.HasPci && machine.HasSmmu);
        Assert.True(MachineDescription.TryRead(Machine(smmu: false, pciNodes: 0), out machine, out _));
        Assert.False(machine.HasPci || machine.HasSmmu);

        byte[][] open =
        [
            Machine(smmu: false),
            Machine(iommuMap: []),
            Machine(iommuMap: [0, 0x8004, 0, 0xFFFF]),
            Machine(iommuMap: [8, 0x8004, 0, 0x1_0000]),
            Machine(iommuMap: [0, 0x8004, 8, 0x1_0000]),
            Machine(iommuMap: [0, 0x8004, 0, 0x100, 0x200, 0x8004, 0x200, 0xFE00]),
        ];
        foreach (byte[] tree in open)
        {
            Assert.False(MachineDescription.TryRead(tree, out _, out ReadOnlySpan<byte> rule));
            Assert.Contains("iommu=smmuv3", Encoding.ASCII.GetString(rule));
        }

        byte[][] strange = [Machine(pciNodes: 2), Machine(configuration: 0x3F00_0000), Machine(pci: "bus@10000000")];
        foreach (byte[] tree in strange)
        {
            Assert.False(MachineDescription.TryRead(tree, out _, out ReadOnlySpan<byte> rule));
            Assert.Contains("one PCI host bridge", Encoding.ASCII.GetString(rule));
        }
    }

    [Fact]
    public void ARefusedImageIsReportedAndNoTeeAnnounced()
    {
        byte[] output = new byte[0x1_0000];
        DeviceTreeEdits edits = Edits();
        edits.Status = ExclavesStatus.NotSupported;
        edits.Reason = "SK does not match its digest"u8;
        Assert.True(DeviceTreeEditor.TryEdit(Machine(), output, edits, out int length, out _));
        Dictionary<string, byte[]> after = Flatten(output.AsSpan(0, length));
        Assert.False(after.ContainsKey("/firmware/optee"));
        Assert.Equal([0, 0, 0, 1], after["/firmware/exclaves:exclaves,status"]);
        Assert.Equal(Encoding.ASCII.GetBytes("SK does not match its digest\0"), after["/firmware/exclaves:exclaves,reason"]);

        // Its memory stays the secure world's, refused or not.
        Assert.Equal(Wide(0xB800_0000, 0x800_0000), after["/reserved-memory/exclaves-pool@b8000000:reg"]);
    }

    [Fact]
    public void TheTeeIsAnnouncedAndMemoryReserved()
    {
        Dictionary<string, byte[]> after = Edit(Machine());
        Assert.Equal([0, 0, 0, 2], after["/firmware/exclaves:exclaves,status"]);
        Assert.False(after.ContainsKey("/firmware/exclaves:exclaves,reason"));
        Assert.Equal(Encoding.ASCII.GetBytes(Compatible), after["/firmware/optee:compatible"]);
        Assert.Equal(Encoding.ASCII.GetBytes("hvc\0"), after["/firmware/optee:method"]);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1], after["/firmware/optee:interrupts"]);
        Assert.Equal(Wide(0x4020_0000, 0x60_0000), after["/reserved-memory/exclaves-image@40200000:reg"]);
        Assert.Equal(Wide(0xB800_0000, 0x800_0000), after["/reserved-memory/exclaves-pool@b8000000:reg"]);
        Assert.Empty(after["/reserved-memory/exclaves-pool@b8000000:no-map"]);
        Assert.Empty(after["/reserved-memory:ranges"]);
        Assert.Equal([0, 0, 0, 2], after["/reserved-memory:#address-cells"]);
        Assert.Equal([0, 0, 0, 2], after["/reserved-memory:#size-cells"]);
    }

    [Fact]
    public void TheMonitorsLogIsAnnouncedWithAndWithoutASecureWorld()
    {
        foreach (ExclavesStatus status in new[] { ExclavesStatus.NotStarted, ExclavesStatus.NotSupported })
        {
            byte[] output = new byte[0x1_0000];
            DeviceTreeEdits edits = Edits();
            edits.Status = status;
            edits.LogBase = 0x4030_0000;
            edits.LogBytes = FirmwareLog.Bytes;
            Assert.True(DeviceTreeEditor.TryEdit(Machine(), output, edits, out int length, out _));
            Dictionary<string, byte[]> after = Flatten(output.AsSpan(0, length));
            Assert.Equal(Encoding.ASCII.GetBytes("coreboot\0"), after["/firmware/coreboot:compatible"]);
            Assert.Equal(Wide(0x4030_0000, 0x8000), after["/firmware/coreboot:reg"]);

            // Linux translates the address only through a parent that says how.
            Assert.Empty(after["/firmware:ranges"]);
        }
    }

    [Fact]
    public void LinuxGetsItsCommandLineInitramfsAndHalfTheSeed()
    {
        Dictionary<string, byte[]> after = Edit(Machine());
        Assert.Equal(Encoding.ASCII.GetBytes("console=ttyAMA0\0"), after["/chosen:bootargs"]);
        Assert.Equal(Wide(0x4400_0000), after["/chosen:linux,initrd-start"]);
        Assert.Equal(Wide(0x4410_0000), after["/chosen:linux,initrd-end"]);
        Assert.Equal(16, after["/chosen:rng-seed"].Length);
        Assert.Equal(16, after["/chosen:rng-seed"][0]);
    }

    [Theory]
    [InlineData("firmware")]
    [InlineData("reserved-memory")]
    public void ATreeThatHasOurNodesIsRefused(string node)
    {
        Assert.False(DeviceTreeEditor.TryEdit(Machine(extraNode: node), new byte[0x1_0000], Edits(), out _, out ReadOnlySpan<byte> rule));
        Assert.Contains("already has", Encoding.ASCII.GetString(rule));
    }

    [Fact]
    public void ATooSmallOutputIsRefusedAtEverySize()
    {
        byte[] input = Machine();
        byte[] full = new byte[0x1_0000];
        Assert.True(DeviceTreeEditor.TryEdit(input, full, Edits(), out int length, out _));
        for (int size = 64; size < length; size += 4)
        {
            Assert.False(DeviceTreeEditor.TryEdit(input, new byte[size], Edits(), out _, out _));
        }
    }

    [Fact]
    public void DamagedTreesNeverLeadOutOfTheBlob() =>
        Gen.Select(Gen.Int[0, 700], Gen.Byte, Gen.Int[0, 700], Gen.Byte).Sample((at, value, at2, value2) =>
        {
            byte[] blob = Machine();
            blob[at % blob.Length] = value;
            blob[at2 % blob.Length] = value2;
            MachineDescription.TryRead(blob, out _, out _);
            DeviceTreeEditor.TryEdit(blob, new byte[0x1000], Edits(), out _, out _);
        }, iter: 20_000);

    [Fact]
    public void RandomBytesAreMalformed() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Assert.False(MachineDescription.TryRead(bytes, out _, out _)), iter: 5_000);
}
