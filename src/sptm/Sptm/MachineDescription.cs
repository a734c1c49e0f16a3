using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What SPTM must know of the machine, read from the firmware's device tree.</summary>
public struct MachineDescription
{
    public ulong RamBytes;
    public int CpuCount;
    public ulong Seed0;
    public ulong Seed1;

    /// <summary>A PCI host bridge is there, so PCI devices can be bus masters.</summary>
    public bool HasPci;
    public bool HasSmmu;

    /// <summary>Reads it, or tells by <paramref name="rule"/> what the tree lacks.</summary>
    public static bool TryRead(ReadOnlySpan<byte> blob, out MachineDescription machine, out ReadOnlySpan<byte> rule)
    {
        machine = default;
        rule = "the device tree is malformed"u8;
        if (!DeviceTreeReader.TryOpen(blob, out DeviceTreeReader reader))
        {
            return false;
        }

        bool inMemory = false;
        bool inChosen = false;
        bool inPci = false;
        bool isPciStrange = false;
        bool isBehindSmmu = false;
        int memoryRanges = 0;
        while (true)
        {
            switch (reader.Next())
            {
                case DeviceTreeToken.BeginNode:
                    inMemory = reader.Depth == 2 && DeviceTreeEditor.StartsWith(reader.Name, "memory@"u8);
                    inChosen = reader.Depth == 2 && reader.Name.SequenceEqual("chosen"u8);
                    inPci = reader.Depth == 2 && DeviceTreeEditor.IsPci(reader.Name);
                    isPciStrange |= inPci && machine.HasPci;
                    machine.HasPci |= inPci;
                    machine.HasSmmu |= reader.Depth == 2 && reader.Name.SequenceEqual("smmuv3@9050000"u8);
                    machine.CpuCount += reader.Depth == 3 && DeviceTreeEditor.StartsWith(reader.Name, "cpu@"u8) ? 1 : 0;
                    memoryRanges += inMemory ? 1 : 0;
                    break;
                case DeviceTreeToken.EndNode:
                    inMemory = false;
                    inChosen = false;
                    inPci = false;
                    break;
                case DeviceTreeToken.Property when reader.Name.SequenceEqual("device_type"u8) && reader.Value.SequenceEqual("pci\0"u8):
                    isPciStrange |= !inPci;
                    break;
                case DeviceTreeToken.Property when inPci && reader.Name.SequenceEqual("reg"u8):
                    isPciStrange |= reader.Value.Length != 16 || BinaryPrimitives.ReadUInt64BigEndian(reader.Value) != Virt.PcieConfiguration;
                    break;
                case DeviceTreeToken.Property when inPci && reader.Name.SequenceEqual("iommu-map"u8):
                    isBehindSmmu = IsWholeMap(reader.Value);
                    break;
                case DeviceTreeToken.Property when inMemory && reader.Name.SequenceEqual("reg"u8):
                    if (reader.Value.Length != 16 || BinaryPrimitives.ReadUInt64BigEndian(reader.Value) != Virt.RamBase)
                    {
                        rule = "RAM must be one range from 0x40000000 on"u8;
                        return false;
                    }

                    machine.RamBytes = BinaryPrimitives.ReadUInt64BigEndian(reader.Value[8..]);
                    break;
                case DeviceTreeToken.Property when inChosen && reader.Name.SequenceEqual("rng-seed"u8) && reader.Value.Length >= 32:
                    machine.Seed0 = BinaryPrimitives.ReadUInt64LittleEndian(reader.Value);
                    machine.Seed1 = BinaryPrimitives.ReadUInt64LittleEndian(reader.Value[8..]);
                    break;
                case DeviceTreeToken.End:
                    rule = memoryRanges != 1 ? "RAM must be one range from 0x40000000 on"u8
                        : machine.RamBytes is < 0x1000_0000 or > 0x1_0000_0000 ? "RAM must be between 256 MiB and 4 GiB"u8
                        : isPciStrange ? "the machine must have one PCI host bridge, pcie@10000000 with configuration space at 0x4010000000"u8
                        : machine.HasPci && !(machine.HasSmmu && isBehindSmmu) ? "PCI devices are not behind an SMMU: start the machine with iommu=smmuv3"u8
                        : machine.CpuCount is < 1 or > Virt.MaxCpus ? "the machine must have 1 to 8 CPUs"u8
                        : default;
                    return rule.IsEmpty;
                case DeviceTreeToken.Malformed:
                    return false;
                default:
                    break;
            }
        }
    }

    /// <summary>All 65,536 requester ids go to the SMMU, each as its own stream id: (first id, SMMU, first stream id, count).</summary>
    private static bool IsWholeMap(ReadOnlySpan<byte> map) =>
        map.Length == 16 && BinaryPrimitives.ReadUInt32BigEndian(map) == 0 && BinaryPrimitives.ReadUInt32BigEndian(map[8..]) == 0
        && BinaryPrimitives.ReadUInt32BigEndian(map[12..]) == 0x1_0000;
}
