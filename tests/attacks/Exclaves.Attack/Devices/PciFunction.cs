using System;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>One PCI function, programmed through configuration space as its driver would, without Linux knowing.</summary>
/// <remarks>PCI Local Bus 3.0, 6.1, 6.2.5, 6.7.</remarks>
internal sealed class PciFunction
{
    private const int ConfigurationBytes = 4096;
    private const int SlotsPerBus = 32;
    private const uint Command = 0x04;
    private const ushort MemoryDecode = 1 << 1;
    private const ushort BusMaster = 1 << 2;
    private const ushort NoIntx = 1 << 10;
    private const uint FirstBar = 0x10;
    private const uint BusNumbers = 0x18;
    private const uint CapabilityList = 0x34;
    private const byte MessageCapability = 0x05;
    private const byte TableCapability = 0x11;
    private const ushort TableEnable = 1 << 15;
    private const int TableBytes = 0x1000;
    private const int MaximumCapabilities = 48;

    private readonly AttackDevice _device;
    private readonly RegisterRange _configuration;
    private RegisterRange? _table;

    private PciFunction(AttackDevice device, int bus, int slot)
    {
        _device = device;
        RequesterId = (uint)((bus << 8) | (slot << 3));
        _configuration = device.MapRegisters(Virt.PcieConfiguration + ((ulong)RequesterId << 12), ConfigurationBytes);
    }

    /// <summary>Bus, slot and function, by which the SMMU knows it.</summary>
    public uint RequesterId { get; }

    /// <summary>The first function of <paramref name="bus"/> with these ids.</summary>
    public static PciFunction Find(AttackDevice device, int bus, ushort vendor, ushort id)
    {
        for (int slot = 0; slot < SlotsPerBus; slot++)
        {
            PciFunction function = new(device, bus, slot);
            if (function._configuration.Read32(0) == (vendor | ((uint)id << 16)))
            {
                return function;
            }
        }

        throw new InvalidOperationException($"bus {bus} has no PCI device {vendor:x4}:{id:x4}");
    }

    public uint Read32(uint offset) => _configuration.Read32(offset);

    public void Write32(uint offset, uint value) => _configuration.Write32(offset, value);

    /// <summary>Lets it decode its registers and be a bus master; its interrupt line stays silent, since no driver would answer it.</summary>
    public PciFunction Enable()
    {
        _configuration.Write16(Command, MemoryDecode | BusMaster | NoIntx);
        return this;
    }

    /// <summary>Physical address in a base address register.</summary>
    public ulong Bar(int index)
    {
        uint low = _configuration.Read32(BarOffset(index));
        ulong high = (low & 6) == 4 ? (ulong)_configuration.Read32(BarOffset(index + 1)) << 32 : 0;
        return high | (low & ~0xFu);
    }

    /// <summary>Lays the registers behind a 32-bit base address register somewhere else.</summary>
    public void MoveBar(int index, ulong address) => _configuration.Write32(BarOffset(index), (uint)address);

    public RegisterRange MapBar(int index, int bytes)
    {
        ulong address = Bar(index);
        return address != 0
            ? _device.MapRegisters(address, bytes)
            : throw new InvalidOperationException($"function {RequesterId:x4} has no address in base register {index}");
    }

    /// <summary>Offset of the next capability of this kind after <paramref name="after"/> (0: the first); 0 when there is none.</summary>
    public uint FindCapability(byte kind, uint after = 0)
    {
        uint at = (after == 0 ? _configuration.Read32(CapabilityList) : _configuration.Read32(after) >> 8) & 0xFC;
        for (int i = 0; i < MaximumCapabilities && at != 0; i++)
        {
            uint head = _configuration.Read32(at);
            if ((head & 0xFF) == kind)
            {
                return at;
            }

            at = (head >> 8) & 0xFC;
        }

        return 0;
    }

    /// <summary>Makes the function announce its interrupts by writing <paramref name="data"/> to <paramref name="address"/>.</summary>
    public void AimMessages(ulong address, ushort data)
    {
        uint capability = FindCapability(MessageCapability);
        if (capability == 0)
        {
            throw new InvalidOperationException($"function {RequesterId:x4} has no message interrupts");
        }

        _configuration.Write32(capability + 4, (uint)address);
        _configuration.Write32(capability + 8, (uint)(address >> 32));
        _configuration.Write16(capability + 12, data);
        _configuration.Write16(capability + 2, (ushort)(_configuration.Read16(capability + 2) | 1));
    }

    /// <summary>Makes the function announce its first interrupt by the table in its own registers (MSI-X): <paramref name="data"/> to <paramref name="address"/>.</summary>
    public void AimTable(ulong address, uint data)
    {
        uint capability = FindCapability(TableCapability);
        if (capability == 0)
        {
            throw new InvalidOperationException($"function {RequesterId:x4} has no table of message interrupts");
        }

        uint place = _configuration.Read32(capability + 4);
        _table ??= MapBar((int)(place & 7), TableBytes);
        uint entry = place & ~7u;
        _configuration.Write16(capability + 2, TableEnable);
        _table.WriteHalves(entry, address);
        _table.Write32(entry + 8, data);
        _table.Write32(entry + 12, 0);
    }

    public void SilenceTable() => _configuration.Write16(FindCapability(TableCapability) + 2, 0);

    public void SilenceMessages()
    {
        uint capability = FindCapability(MessageCapability);
        _configuration.Write16(capability + 2, (ushort)(_configuration.Read16(capability + 2) & ~1));
    }

    /// <summary>Of a bridge: primary, secondary and last bus behind it, one byte each.</summary>
    public uint Buses
    {
        get => _configuration.Read32(BusNumbers);
        set => _configuration.Write32(BusNumbers, value);
    }

    private static uint BarOffset(int index) => FirstBar + ((uint)index * sizeof(uint));
}
