using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>Devices that Linux programs to read and write what is not Linux's, each by another of its engines.</summary>
/// <remarks>
/// What an address that the SMMU refused reads is zero. Where the defence is left out, the disk reads and restores what the others write.
/// </remarks>
internal sealed class DeviceAttacks
{
    private const int Probe = 64;
    private const byte Mark = 0x5A;
    private const ulong SlotMagic = 0x7472_6976;

    private readonly Trial _trial;
    private readonly Field _field;
    private readonly Masters _masters;
    private readonly bool _succeeds;

    private DeviceAttacks(Trial trial)
    {
        _trial = trial;
        _field = trial.Field;
        _masters = trial.Field.Masters;
        _succeeds = trial.IsWeak;
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("edu.read", trial => new DeviceAttacks(trial).EduReads());
        suite.Add("edu.write", trial => new DeviceAttacks(trial).EduWrites());
        suite.Add("edu.above", trial => new DeviceAttacks(trial).EduAboveTheWindow());
        suite.Add("edu.peer", trial => new DeviceAttacks(trial).EduReadsDevices());
        suite.Add("edu.stream", trial => new DeviceAttacks(trial).EduUnderOtherIds());
        suite.Add("virtio.buffer", trial => new DeviceAttacks(trial).DiskBuffers());
        suite.Add("virtio.ring", trial => new DeviceAttacks(trial).DiskRings());
        suite.Add("e1000.transmit", trial => new DeviceAttacks(trial).PacketsFromSecureMemory());
        suite.Add("e1000.receive", trial => new DeviceAttacks(trial).PacketsIntoSecureMemory());
        suite.Add("e1000.ring", trial => new DeviceAttacks(trial).PacketRings());
        suite.Add("msi.memory", trial => new DeviceAttacks(trial).MessagesToMemory());
        suite.Add("msi.doorbell", trial => new DeviceAttacks(trial).MessagesToDoorbells());
        suite.Add("msix.memory", trial => new DeviceAttacks(trial).TablesToMemory());
        suite.Add("msix.doorbell", trial => new DeviceAttacks(trial).TablesToDoorbells());
        suite.Add("pci.bar", trial => new DeviceAttacks(trial).RegistersOverMemory());
    }

    private Meter RefusedDma => _field.Of(SptmCounter.RefusedDma);

    /// <summary>One frame of each kind; on an open build those alone of which Linux knows what they hold.</summary>
    private IEnumerable<Target> Readable => _field.Targets.Where(target => !target.IsDevice && (!_succeeds || target.Name is "sptm.text" or "image.header"));

    /// <summary>One frame of each kind; on an open build those alone whose change for a moment does no harm.</summary>
    private IEnumerable<Target> Writable => _field.Targets.Where(target => !target.IsDevice && (!_succeeds || target.Name is "sptm.data" or "image.header"));

    /// <summary>The same, few, for engines that take a tenth of a second for each transfer.</summary>
    private static IEnumerable<Target> Few(IEnumerable<Target> targets) =>
        targets.Where(target => target.Name is "sptm.text" or "sptm.data" or "sk.text" or "sk.data" or "image.header" or "pool.first" or "smmu.tables");

    /// <summary>Where the target's page has room for a ring.</summary>
    private static ulong Room(Target target) => (target.Write & ~0xFFFul) + 0xC00;

    private void EduReads()
    {
        EduDevice edu = _masters.Edu;
        foreach (Target target in Few(Readable))
        {
            _trial.Try(target.Name, RefusedDma, () => Aimed(target.Read & ~7ul, edu.Function, () =>
            {
                FillBuffer(edu);
                edu.Load(target.Read & ~(ulong)(Probe - 1), Probe);
                return JudgeRead(target, ReadBuffer(edu));
            }));
        }
    }

    private void EduWrites()
    {
        EduDevice edu = _masters.Edu;
        foreach (Target target in Few(Writable))
        {
            ulong address = target.Write & ~(ulong)(Probe - 1);
            byte[] old = _succeeds ? _masters.Disk.Peek(address & ~511ul, RawDisk.SectorBytes) : [];
            _trial.Try(target.Name, RefusedDma, () => Aimed(address, edu.Function, () =>
            {
                FillBuffer(edu);
                edu.Store(address, Probe);
                return JudgeWrite(address);
            }));
            if (_succeeds)
            {
                _masters.Disk.Poke(address & ~511ul, old);
            }
        }
    }

    // Memory that may be donated lies above the window; it is closed to devices while it is still Linux's.
    private void EduAboveTheWindow()
    {
        EduDevice edu = _masters.Edu;
        KernelPage above = _field.Device.NewPage();
        if (above.Address < Virt.RamBase + 0x4000_0000)
        {
            _trial.Fail($"Linux gave a page in the window: 0x{above.Address:x}");
            return;
        }

        above.Bytes.Fill(Mark);
        _trial.Try("read of an own page", RefusedDma, () => Aimed(above.Address, edu.Function, () =>
        {
            _masters.Pattern.Bytes[..Probe].Clear();
            edu.Load(_masters.Pattern.Address, Probe);
            edu.Load(above.Address, Probe);
            return Attempt.Of(ReadBuffer(edu).AsSpan().IndexOfAnyExcept((byte)0) < 0, "nothing came");
        }));
        above.Bytes.Clear();
        _trial.Try("write of an own page", RefusedDma, () => Aimed(above.Address, edu.Function, () =>
        {
            FillBuffer(edu);
            edu.Store(above.Address, Probe);
            return Attempt.Of(above.Bytes[..Probe].IndexOfAnyExcept((byte)0) < 0, "nothing arrived");
        }));
        foreach (ulong address in (ReadOnlySpan<ulong>)[Virt.RamBase + 0x4000_0000, 0xFFFF_F000, 0x1_0000_0000, 0x80_0000_0000, 0xFFFF_FFFF_F000])
        {
            _trial.Try($"0x{address:x}", RefusedDma, () =>
            {
                edu.Store(address, 8);
                return Attempt.Stopped("sent");
            });
        }

        _trial.Permit("page in the window", () => RoundTrip(edu));
    }

    private void EduReadsDevices()
    {
        EduDevice edu = _masters.Edu;
        (string Name, ulong Address)[] devices =
        [
            ("entropy slot", Virt.EntropyDevice),
            ("virtio slot 8", Virt.VirtioMmio + 0x1000),
            ("smmu", Virt.Smmu),
            ("fw_cfg", 0x0902_0000),
            ("its", 0x0808_0000),
            ("gic", Virt.GicDistributor),
            ("uart", Virt.Uart),
            ("another PCI device", _masters.Bridge.Bar(0)),
        ];
        foreach ((string name, ulong address) in _succeeds ? devices[..2] : devices)
        {
            _trial.Try(name, RefusedDma, () => Aimed(address, edu.Function, () =>
            {
                FillBuffer(edu);
                edu.Load(address, sizeof(uint));
                uint word = BitConverter.ToUInt32(ReadBuffer(edu));
                return word == SlotMagic ? Attempt.Succeeded("read a device's magic number") : Attempt.Of(word == 0, $"read 0x{word:x}");
            }));
        }
    }

    // A device's id is its bus, slot and function, and Linux numbers the buses.
    private void EduUnderOtherIds()
    {
        PciFunction bridge = _masters.Bridge;
        uint before = bridge.Buses;
        foreach (uint bus in (ReadOnlySpan<uint>)[1, 2, 0x40, 0x7F, 0x80, 0xFF])
        {
            bridge.Buses = (before & 0xFF00_0000) | 0xFF_0000 | (bus << 8);
            EduDevice edu = new(PciFunction.Find(_field.Device, (int)bus, EduDevice.Vendor, EduDevice.Id));
            _trial.Try($"stream {edu.Function.RequesterId:x4}", RefusedDma, () => Aimed(Virt.SptmBase, edu.Function, () =>
            {
                FillBuffer(edu);
                edu.Load(Virt.SptmBase, Probe);
                return Attempt.Of(ReadBuffer(edu).AsSpan().IndexOfAnyExcept(Mark, (byte)0) < 0, "nothing came");
            }));
            _trial.Permit($"stream {edu.Function.RequesterId:x4}, page in the window", () => RoundTrip(edu));
        }

        bridge.Buses = before;
    }

    private void DiskBuffers()
    {
        RawDisk disk = _masters.Disk;
        foreach (Target target in Readable)
        {
            _trial.Try($"{target.Name} to disk", RefusedDma, () =>
            {
                Zero(disk);
                bool written = disk.Transfer(toDisk: true, 0, target.Read & ~511ul, RawDisk.SectorBytes);
                _masters.Result.Bytes.Fill(Mark);
                bool read = disk.Transfer(toDisk: false, 0, _masters.Result.Address, RawDisk.SectorBytes);
                return read ? JudgeRead(target, _masters.Result.Bytes[(int)(target.Read & 511 & ~63ul)..][..Probe].ToArray())
                    : Attempt.Neither($"the disk does not work any more (written: {written})");
            });
        }

        foreach (Target target in Writable)
        {
            ulong address = target.Write & ~511ul;
            byte[] old = _succeeds ? disk.Peek(address, RawDisk.SectorBytes) : [];
            _trial.Try($"disk to {target.Name}", RefusedDma, () =>
            {
                _masters.Pattern.Bytes.Fill(Mark);
                bool stored = disk.Transfer(toDisk: true, 24, _masters.Pattern.Address, RawDisk.SectorBytes);
                _ = disk.Transfer(toDisk: false, 24, address, RawDisk.SectorBytes);
                return stored ? JudgeWrite(address) : Attempt.Neither("the disk does not work any more");
            });
            if (_succeeds)
            {
                disk.Poke(address, old);
            }
        }
    }

    private void DiskRings()
    {
        RawDisk disk = _masters.Disk;
        foreach (Target target in Few(Writable))
        {
            foreach (RawDisk.Part part in (ReadOnlySpan<RawDisk.Part>)[RawDisk.Part.Descriptors, RawDisk.Part.Available, RawDisk.Part.Used])
            {
                _trial.Try($"{part} in {target.Name}", RefusedDma, () => disk.ReadWith(part, Room(target), plant: _succeeds)
                    ? Attempt.Succeeded("the device worked with it")
                    : Attempt.Stopped("the device got nothing there"));
            }
        }
    }

    private void PacketsFromSecureMemory()
    {
        PacketCard card = Card();
        foreach (Target target in Readable)
        {
            _trial.Try(target.Name, RefusedDma, () =>
            {
                card.InPage.Bytes.Clear();
                return card.Send(target.Read & ~(ulong)(Probe - 1), card.InPage.Address)
                    ? JudgeRead(target, card.InPage.Bytes[..Probe].ToArray())
                    : Attempt.Stopped("no packet came");
            });
        }
    }

    private void PacketsIntoSecureMemory()
    {
        PacketCard card = Card();
        foreach (Target target in Writable)
        {
            ulong address = Room(target);
            byte[] old = _succeeds ? _masters.Disk.Peek(address, RawDisk.SectorBytes) : [];
            _trial.Try(target.Name, RefusedDma, () =>
            {
                _ = card.Send(card.OutPage.Address, address);
                return JudgeWrite(address);
            });
            if (_succeeds)
            {
                _masters.Disk.Poke(address, old);
            }
        }
    }

    private void PacketRings()
    {
        PacketCard card = Card();
        foreach (Target target in Few(Writable))
        {
            foreach (bool receive in (ReadOnlySpan<bool>)[true, false])
            {
                ulong address = Room(target);
                byte[] old = _succeeds ? _masters.Disk.Peek(address, RawDisk.SectorBytes) : [];
                _trial.Try($"{(receive ? "receive" : "transmit")} ring in {target.Name}", RefusedDma, () =>
                {
                    if (_succeeds)
                    {
                        byte[] sector = new byte[RawDisk.SectorBytes];
                        card.Rings(card.OutPage.Address, card.InPage.Address).AsSpan(receive ? 0 : PacketCard.RingBytes, PacketCard.RingBytes).CopyTo(sector);
                        _masters.Disk.Poke(address, sector);
                    }

                    (ulong ownReceive, ulong ownTransmit) = card.OwnRings();
                    card.InPage.Bytes.Clear();
                    return card.SendWith(receive ? address : ownReceive, receive ? ownTransmit : address)
                        ? Attempt.Succeeded("the card worked with it")
                        : Attempt.Stopped("no packet came");
                });
                if (_succeeds)
                {
                    _masters.Disk.Poke(address, old);
                }
            }
        }
    }

    private void MessagesToMemory()
    {
        const ushort Message = 0x5AA5;
        EduDevice edu = _masters.Edu;
        foreach (Target target in Writable)
        {
            ulong address = Room(target);
            byte[] old = _succeeds ? _masters.Disk.Peek(address, RawDisk.SectorBytes) : [];
            _trial.Try(target.Name, RefusedDma, () => Aimed(address, edu.Function, () =>
            {
                edu.Function.AimMessages(address, Message);
                edu.Interrupt();
                edu.Function.SilenceMessages();
                return _succeeds && BitConverter.ToUInt32(_masters.Disk.Peek(address, RawDisk.SectorBytes)) == Message
                    ? Attempt.Succeeded("the message is there")
                    : Attempt.Stopped("sent");
            }));
            if (_succeeds)
            {
                _masters.Disk.Poke(address, old);
            }
        }
    }

    private static (string Name, ulong Address)[] Doorbells =>
    [
        ("GITS_TRANSLATER", 0x0809_0040),
        ("GICD_SETSPI_NSR", Virt.GicDistributor + 0x40),
        ("GICD_ISPENDR", Virt.GicDistributor + 0x204),
        ("GICR_SETLPIR", Virt.GicRedistributor + 0x40),
        ("GICR_PROPBASER", Virt.GicRedistributor + 0x70),
        ("virtio slot doorbell", Virt.VirtioMmio + 0x50),
        ("SMMU_CR0", Virt.Smmu + 0x20),
    ];

    private void MessagesToDoorbells()
    {
        EduDevice edu = _masters.Edu;
        foreach ((string name, ulong address) in Doorbells)
        {
            _trial.Try(name, RefusedDma, () => Aimed(address, edu.Function, () =>
            {
                edu.Function.AimMessages(address, 0);
                edu.Interrupt();
                edu.Function.SilenceMessages();
                return Attempt.Stopped("sent");
            }));
        }

        _trial.Permit("own page", () =>
        {
            const ushort Message = 0x1234;
            _masters.Result.Bytes.Clear();
            edu.Function.AimMessages(_masters.Result.Address, Message);
            edu.Interrupt();
            edu.Function.SilenceMessages();
            return BitConverter.ToUInt32(_masters.Result.Bytes) == Message ? Attempt.Succeeded("") : Attempt.Neither("the message did not arrive");
        });
    }

    // The table of message interrupts lies in the device's own registers, one row for each queue.
    private void TablesToMemory()
    {
        const uint Message = 0x5AA5_C33C;
        RawDisk disk = _masters.Disk;
        foreach (Target target in Writable)
        {
            ulong address = Room(target);
            byte[] old = _succeeds ? disk.Peek(address, RawDisk.SectorBytes) : [];
            _trial.Try(target.Name, RefusedDma, () => Aimed(address, disk.Function, () => SendByTable(address, Message)));
            if (_succeeds)
            {
                disk.Poke(address, old);
            }
        }
    }

    private void TablesToDoorbells()
    {
        RawDisk disk = _masters.Disk;
        foreach ((string name, ulong address) in Doorbells)
        {
            _trial.Try(name, RefusedDma, () => Aimed(address, disk.Function, () => SendByTable(address, 0)));
        }

        _trial.Permit("own page", () =>
        {
            const uint Message = 0x1234_5678;
            _masters.Result.Bytes.Clear();
            return disk.TransferWithMessage(_masters.Result.Address, Message, () => BitConverter.ToUInt32(_masters.Result.Bytes) == Message)
                ? Attempt.Succeeded("") : Attempt.Neither("the message did not arrive");
        });
    }

    private Attempt SendByTable(ulong address, uint message)
    {
        ulong before = RefusedDma.Read();
        bool IsOver() => _succeeds ? WordAt(address) == message : RefusedDma.Read() > before;
        return !_masters.Disk.TransferWithMessage(address, message, IsOver) ? Attempt.Neither("the disk's message neither arrived nor was refused")
            : _succeeds ? Attempt.Succeeded("the message is there")
            : Attempt.Stopped("sent");
    }

    private uint WordAt(ulong address)
    {
        _masters.Edu.Load(address, sizeof(uint));
        return BitConverter.ToUInt32(ReadBuffer(_masters.Edu));
    }

    // A base register can name any address. Memory must stay memory, for CPUs and for devices.
    private void RegistersOverMemory()
    {
        PciFunction function = _masters.Edu.Function;
        ulong usual = function.Bar(0);
        try
        {
            foreach (Target target in _field.Targets.Where(target => target.Name is "sptm.text" or "sk.text" or "pool.first"))
            {
                ulong over = target.Read & ~0xF_FFFFul;
                function.MoveBar(0, over);
                _trial.Try($"{target.Name}, by CPU", _field.Of(SptmCounter.RefusedKernelData), () =>
                    Attempt.Of(_field.Device.Run(AttackKind.Read, over, sizeof(uint)).Error != 0, "refused"));
                _trial.Try($"{target.Name}, by another device", RefusedDma, () =>
                {
                    Zero(_masters.Disk);
                    _ = _masters.Disk.Transfer(toDisk: true, 0, over, RawDisk.SectorBytes);
                    return Attempt.Of(_masters.Disk.Transfer(toDisk: false, 0, _masters.Result.Address, RawDisk.SectorBytes)
                        && _masters.Result.Bytes[..RawDisk.SectorBytes].IndexOfAnyExcept((byte)0) < 0, "nothing came");
                });
            }

            _masters.Pattern.Bytes.Fill(Mark);
            function.MoveBar(0, _masters.Pattern.Address & ~0xF_FFFFul);
            _trial.Permit("Linux's own memory stays memory", () =>
                BitConverter.ToUInt32(_masters.Disk.Peek(_masters.Pattern.Address, sizeof(uint))) == 0x5A5A_5A5A
                    && _masters.Pattern.Bytes[0] == Mark ? Attempt.Succeeded("") : Attempt.Neither("other bytes"));
        }
        finally
        {
            function.MoveBar(0, usual);
        }

        _trial.Permit("registers in their window answer", () =>
            _field.Device.MapRegisters(usual, 4096).Read32(0) == EduDevice.Identity ? Attempt.Succeeded("") : Attempt.Neither("other bytes"));
    }

    /// <summary>Runs an attempt and has SPTM name the device and the address that it refused.</summary>
    private Attempt Aimed(ulong address, PciFunction function, Func<Attempt> attempt)
    {
        Attempt made = attempt();
        if (_succeeds || !made.Refused)
        {
            return made;
        }

        _ = RefusedDma.Read();
        ulong page = (_field.Device.Counter(SptmCounter.RefusedDmaAddress) ?? 0) & ~0xFFFul;
        ulong stream = _field.Device.Counter(SptmCounter.RefusedDmaStream) ?? 0;
        return page == (address & ~0xFFFul) && stream == function.RequesterId
            ? Attempt.Stopped($"{made.Words}; SPTM names stream {stream:x4} and page 0x{page:x}")
            : Attempt.Neither($"{made.Words}, but SPTM names stream {stream:x4} and page 0x{page:x}");
    }

    private PacketCard Card()
    {
        PacketCard card = _masters.Card;
        card.OutPage.Bytes.Fill(Mark);
        return card;
    }

    private void FillBuffer(EduDevice edu)
    {
        _masters.Pattern.Bytes.Fill(Mark);
        edu.Load(_masters.Pattern.Address, Probe);
    }

    private byte[] ReadBuffer(EduDevice edu)
    {
        _masters.Result.Bytes.Clear();
        edu.Store(_masters.Result.Address, Probe);
        return _masters.Result.Bytes[..Probe].ToArray();
    }

    private Attempt RoundTrip(EduDevice edu)
    {
        FillBuffer(edu);
        return ReadBuffer(edu).AsSpan().IndexOfAnyExcept(Mark) < 0 ? Attempt.Succeeded("") : Attempt.Neither("other bytes came back");
    }

    private void Zero(RawDisk disk)
    {
        _masters.Pattern.Bytes.Clear();
        if (!disk.Transfer(toDisk: true, 0, _masters.Pattern.Address, RawDisk.SectorBytes))
        {
            throw new InvalidOperationException("the disk does not work");
        }
    }

    // What Linux knows of the secure world: SPTM's text begins with the header of an arm64 image, the kernel's arguments follow the image's header.
    private Attempt JudgeRead(Target target, byte[] bytes)
    {
        if (!_succeeds)
        {
            return Attempt.Of(bytes.AsSpan().IndexOfAnyExcept(Mark, (byte)0) < 0, "nothing came");
        }

        byte[] known = target.Name == "sptm.text" ? "ARM\x64"u8.ToArray()
            : Encoding.UTF8.GetBytes(File.ReadAllText("/proc/cmdline").Trim());
        byte[] found = target.Name == "sptm.text" ? bytes : _masters.Disk.Peek(Virt.BootArgumentsBase, 4096);
        return found.AsSpan().IndexOf(known) >= 0 && bytes.AsSpan().IndexOfAnyExcept(Mark, (byte)0) >= 0
            ? Attempt.Succeeded("read what is known to be there")
            : Attempt.Neither($"read {Convert.ToHexString(bytes[..16])}");
    }

    // On the product nothing can look whether it arrived: that SPTM counted the refusal is what shows it.
    private Attempt JudgeWrite(ulong address)
    {
        if (!_succeeds)
        {
            return Attempt.Stopped("sent");
        }

        byte[] now = _masters.Disk.Peek(address & ~511ul, RawDisk.SectorBytes);
        return now.AsSpan((int)(address & 511), Probe).IndexOfAnyExcept(Mark) < 0
            ? Attempt.Succeeded("changed")
            : Attempt.Neither("the write had no effect");
    }
}
