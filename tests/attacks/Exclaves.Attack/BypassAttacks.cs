using System;
using System.Buffers.Binary;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>Registers through which a kernel could make something else write memory, or take down what keeps devices in.</summary>
internal sealed class BypassAttacks
{
    private const long ErrorFault = -14;
    private const ulong FirmwareDma = Virt.FirmwareConfiguration + 0x10;
    private const ulong TranslationService = 0x0808_0000;
    private const uint SlotMagic = 0x7472_6976;

    private readonly Trial _trial;
    private readonly Field _field;
    private readonly AttackDevice _device;
    private readonly bool _succeeds;

    private BypassAttacks(Trial trial)
    {
        _trial = trial;
        _field = trial.Field;
        _device = trial.Field.Device;
        _succeeds = trial.IsWeak;
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("fwcfg.dma", trial => new BypassAttacks(trial).FirmwareTransfers());
        suite.Add("smmu.registers", trial => new BypassAttacks(trial).SmmuRegisters());
        suite.Add("slot.registers", trial => new BypassAttacks(trial).SlotRegisters());
        suite.Add("hidden.registers", trial => new BypassAttacks(trial).HiddenRegisters());
        suite.Add("its.registers", trial => new BypassAttacks(trial).TranslationRegisters());
        suite.Add("lpi.registers", trial => new BypassAttacks(trial).LpiRegisters());
    }

    private Meter RefusedDevice => _field.Of(SptmCounter.RefusedDevice);

    // A request lies in Linux's page; the engine fetches it, does it, and leaves zero or an error bit in its first word (QEMU docs/specs/fw_cfg).
    private void FirmwareTransfers()
    {
        KernelPage request = _field.OwnPage;
        if (_succeeds)
        {
            KernelPage result = _device.NewPage();
            _trial.Try("own page", default, () => Transfer(request, result.Address) && result.Bytes[..4].SequenceEqual("QEMU"u8)
                ? Attempt.Succeeded("wrote what it was told to")
                : Attempt.Neither("nothing was written"));
        }

        foreach (Target target in _field.Targets.Where(target => !target.IsDevice && (!_succeeds || target.Name == "sptm.data")))
        {
            _trial.Try(target.Name, RefusedDevice, () => Transfer(request, target.Write)
                ? Attempt.Succeeded("the engine says that it wrote there")
                : Attempt.Stopped("the engine was not reached"));
        }
    }

    private bool Transfer(KernelPage request, ulong to)
    {
        const uint ReadSignature = 0x0000_000A;
        BinaryPrimitives.WriteUInt32BigEndian(request.Bytes, ReadSignature);
        BinaryPrimitives.WriteUInt32BigEndian(request.Bytes[4..], 4);
        BinaryPrimitives.WriteUInt64BigEndian(request.Bytes[8..], to);
        AttackRequest answer = _device.Run(AttackKind.Write, FirmwareDma, sizeof(ulong), BinaryPrimitives.ReverseEndianness(request.Address), 0, 0);
        return answer.Error == 0 && BinaryPrimitives.ReadUInt32BigEndian(request.Bytes) == 0;
    }

    private void SmmuRegisters()
    {
        const uint Control = 0x20;
        (string Name, uint Offset)[] registers = [("CR0", Control), ("GBPA", 0x44), ("STRTAB_BASE", 0x80), ("CMDQ_BASE", 0x90), ("EVENTQ_BASE", 0xA0), ("EVENTQ_PROD", 0x100A8)];
        foreach ((string name, uint offset) in _succeeds ? registers[..1] : registers)
        {
            _trial.Try(name, RefusedDevice, () =>
            {
                ulong address = Virt.Smmu + offset;
                AttackRequest before = _device.Run(AttackKind.Read, address, sizeof(uint));
                AttackRequest answer = _device.Run(AttackKind.Write, address, sizeof(uint), 0, _succeeds ? 1u : 0u, before.Out[0]);
                return before.Error == ErrorFault && answer.Error == ErrorFault ? Attempt.Stopped("neither read nor written")
                    : answer.Error == 0 && before.Out[0] != 0 && answer.Out[0] == 0 ? Attempt.Succeeded("the SMMU was off for a moment")
                    : Attempt.Neither($"errors {before.Error}, {answer.Error}; 0x{before.Out[0]:x} became 0x{answer.Out[0]:x}");
            });
        }
    }

    // One slot of each page: a device there reads and writes memory wherever its queue is.
    private void SlotRegisters()
    {
        const ulong QueueAddress = 0x80;
        foreach (ulong slot in (ReadOnlySpan<ulong>)[0, 1, 8, 16, 24, 31])
        {
            ulong address = Virt.VirtioMmio + (slot * Virt.VirtioMmioSlotBytes);
            _trial.Try($"slot {slot}", RefusedDevice, () =>
            {
                AttackRequest magic = _device.Run(AttackKind.Read, address, sizeof(uint));
                AttackRequest queue = _succeeds ? magic : _device.Run(AttackKind.Write, address + QueueAddress, sizeof(uint), Virt.SptmBase, 0, 0);
                return magic.Error == ErrorFault && queue.Error == ErrorFault ? Attempt.Stopped("neither read nor written")
                    : magic.Out[0] == SlotMagic ? Attempt.Succeeded("its magic number was read")
                    : Attempt.Neither($"errors {magic.Error}, {queue.Error}; 0x{magic.Out[0]:x}");
            });
        }
    }

    private void TranslationRegisters()
    {
        (string Name, uint Offset)[] registers = [("TYPER", 0x08), ("CTLR", 0x00), ("CBASER", 0x80), ("CWRITER", 0x88), ("BASER0", 0x100), ("TRANSLATER", 0x1_0040)];
        foreach ((string name, uint offset) in registers)
        {
            _trial.Try(name, RefusedDevice, () => ReadAndWrite(TranslationService + offset));
        }

        PermitDistributor();
    }

    // What the table of memory writers in docs/threat-model.md calls unmapped and no other attack names.
    private void HiddenRegisters()
    {
        (string Name, ulong Address)[] hidden =
        [
            ("memory hotplug", 0x0907_0000), ("ACPI events", 0x0908_0000), ("NVDIMM", 0x0909_0000), ("platform bus", 0x0C00_0000),
            ("secure UART", 0x0904_0000), ("secure GPIO", 0x090B_0000), ("flash 0", 0x0000_0000), ("flash 1", 0x0400_0000),
            ("GICv2 interface", 0x0801_0000), ("message frame", 0x0802_0000), ("virtual interface", 0x0803_0000), ("second RD region", 0x40_0000_0000),
        ];
        foreach ((string name, ulong address) in hidden)
        {
            _trial.Try(name, RefusedDevice, () => ReadAndWrite(address));
        }

        PermitDistributor();
    }

    private Attempt ReadAndWrite(ulong address)
    {
        AttackRequest read = _device.Run(AttackKind.Read, address, sizeof(uint));
        AttackRequest write = _device.Run(AttackKind.Write, address, sizeof(uint), Virt.SptmBase | 1, 0, 0);
        return Attempt.Of(read.Error == ErrorFault && write.Error == ErrorFault, $"errors {read.Error}, {write.Error}");
    }

    private void PermitDistributor() => _trial.Permit(
        "GICD_TYPER", () => _device.Run(AttackKind.Read, Virt.GicDistributor + 4, sizeof(uint)) is { Error: 0 } answer && answer.Out[0] != 0
            ? Attempt.Succeeded("") : Attempt.Neither("not read"));

    // Where the registers are there, the two table bases take an address; the others say nothing about what they did.
    private void LpiRegisters()
    {
        (string Name, uint Offset)[] registers =
        [
            ("PROPBASER", 0x70), ("PENDBASER", 0x78), ("SETLPIR", 0x40), ("CLRLPIR", 0x48), ("INVLPIR", 0xA0), ("INVALLR", 0xB0),
        ];
        foreach (int cpu in (ReadOnlySpan<int>)[0, 1])
        {
            foreach ((string name, uint offset) in _succeeds ? registers[..2] : registers)
            {
                foreach (ulong bytes in (ReadOnlySpan<ulong>)[sizeof(ulong), sizeof(uint)])
                {
                    _trial.Try($"{name} of CPU {cpu}, {bytes} bytes", _field.Of(SptmCounter.RefusedLpi), () =>
                    {
                        AttackRequest answer = _device.Run(AttackKind.Write, DeviceFrame(cpu) + offset, bytes, Virt.SptmBase, 1, 0);
                        return answer.Error != 0 ? Attempt.Neither($"error {answer.Error}")
                            : Attempt.Of(answer.Out[0] == 0, $"reads back as 0x{answer.Out[0]:x}");
                    });
                }
            }
        }
    }

    private static ulong DeviceFrame(int cpu) => Virt.GicRedistributor + ((ulong)cpu * Virt.GicRedistributorStride);
}
