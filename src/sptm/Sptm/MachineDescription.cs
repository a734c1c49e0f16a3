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
        int memoryRanges = 0;
        while (true)
        {
            switch (reader.Next())
            {
                case DeviceTreeToken.BeginNode:
                    inMemory = reader.Depth == 2 && DeviceTreeEditor.StartsWith(reader.Name, "memory@"u8);
                    inChosen = reader.Depth == 2 && reader.Name.SequenceEqual("chosen"u8);
                    machine.CpuCount += reader.Depth == 3 && DeviceTreeEditor.StartsWith(reader.Name, "cpu@"u8) ? 1 : 0;
                    memoryRanges += inMemory ? 1 : 0;
                    break;
                case DeviceTreeToken.EndNode:
                    inMemory = false;
                    inChosen = false;
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
}
