using System;
using System.Buffers.Binary;
using System.Threading;

namespace Exclaves.Attack;

/// <summary>A virtio disk without a driver: the ring is laid out by hand, so its addresses can be anything.</summary>
/// <remarks>Virtio 1.2, 2.7 (split virtqueue), 4.1.4 (PCI), 5.2 (block device). One request at a time, each on a device that was just reset.</remarks>
internal sealed class RawDisk
{
    public const ushort Vendor = 0x1AF4;
    public const ushort Id = 0x1042;
    public const int SectorBytes = 512;

    // Parts of the ring's page.
    private const uint Descriptors = 0x000;
    private const uint Available = 0x200;
    private const uint Used = 0x400;
    private const uint Header = 0x600;
    private const uint Status = 0x700;

    private const ushort QueueSize = 8;
    private const ushort NoInterrupt = 1;
    private const ushort Next = 1;
    private const ushort DeviceWrites = 2;
    private const byte Unanswered = 0xFF;
    private const ushort NoVector = 0xFFFF;

    private const byte VendorCapability = 0x09;
    private const uint CommonStructure = 1;
    private const uint NotifyStructure = 2;
    private const int BarBytes = 0x4000;
    private const uint DeviceStatus = 0x14;
    private const byte NeedsReset = 0x40;
    private const uint HighFeatures = 3; // VERSION_1 and ACCESS_PLATFORM, bits 32 and 33

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    private readonly RegisterRange _common;
    private readonly RegisterRange _notify;
    private readonly uint _commonOffset;
    private readonly uint _notifyOffset;
    private readonly uint _notifyMultiplier;
    private readonly KernelPage _ring;
    private readonly KernelPage _bounce;

    /// <summary>Row of the table of message interrupts that the queue uses.</summary>
    private ushort _vector = NoVector;

    public RawDisk(AttackDevice device)
    {
        PciFunction function = PciFunction.Find(device, 0, Vendor, Id).Enable();
        Function = function;
        (_common, _commonOffset, _) = Structure(function, CommonStructure);
        (_notify, _notifyOffset, uint capability) = Structure(function, NotifyStructure);
        _notifyMultiplier = function.Read32(capability + 16);
        _ring = device.NewPage(forDevices: true);
        _bounce = device.NewPage(forDevices: true);
    }

    /// <summary>Parts of the queue, each of which can be put elsewhere.</summary>
    public enum Part
    {
        None,
        Descriptors,
        Available,
        Used,
    }

    public PciFunction Function { get; }

    /// <summary>One request at whose end the device sends a message to <paramref name="address"/>.</summary>
    /// <param name="isOver">Whether the message has come where it goes: the device sends it some time after it has said that it is done.</param>
    /// <returns>Whether the request was carried out and the message came in time.</returns>
    public bool TransferWithMessage(ulong address, uint data, Func<bool> isOver)
    {
        Prepare(toDisk: true, 0, _bounce.Address, SectorBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(_ring.Bytes[(int)Available..], 0);
        Function.AimTable(address, data);
        _vector = 0;
        bool done = Run(Part.None, 0) && Wait.For(isOver);
        _vector = NoVector;
        Function.SilenceTable();
        return done;
    }

    /// <summary>One request. True: the device has answered that it did it.</summary>
    /// <param name="toDisk">Memory to disk; else disk to memory.</param>
    public bool Transfer(bool toDisk, ulong sector, ulong address, int bytes)
    {
        Prepare(toDisk, sector, address, bytes);
        return Run(Part.None, 0);
    }

    /// <summary>The bytes at a physical address, whatever is there, if the device can read it.</summary>
    public byte[] Peek(ulong address, int bytes)
    {
        int whole = (bytes + SectorBytes - 1) / SectorBytes * SectorBytes;
        return Transfer(toDisk: true, 0, address, whole) && Transfer(toDisk: false, 0, _bounce.Address, whole)
            ? _bounce.Bytes[..bytes].ToArray()
            : throw new InvalidOperationException($"the disk cannot read 0x{address:x}");
    }

    /// <summary>Writes whole sectors to a physical address.</summary>
    public void Poke(ulong address, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bounce.Bytes);
        if (!Transfer(toDisk: true, 8, _bounce.Address, bytes.Length) || !Transfer(toDisk: false, 8, address, bytes.Length))
        {
            throw new InvalidOperationException($"the disk cannot write 0x{address:x}");
        }
    }

    /// <summary>A read of the disk with one part of the queue at <paramref name="address"/> instead of Linux's page.</summary>
    /// <param name="plant">What stands in for the part is put there first: for a build on which this is possible.</param>
    /// <returns>Whether the request was carried out; of the used ring, whether it was written, which only a build where it can be read back shows.</returns>
    public bool ReadWith(Part part, ulong address, bool plant)
    {
        _bounce.Bytes[..SectorBytes].Fill(0x5A);
        if (!Transfer(toDisk: true, 16, _bounce.Address, SectorBytes))
        {
            throw new InvalidOperationException("the disk does not work");
        }

        byte[] old = plant ? Peek(address, SectorBytes) : [];
        if (plant)
        {
            Prepare(toDisk: false, 16, _bounce.Address, SectorBytes);
            Poke(address, _ring.Bytes.Slice((int)Place(part), SectorBytes).ToArray());
        }

        _bounce.Bytes.Clear();
        Prepare(toDisk: false, 16, _bounce.Address, SectorBytes);
        bool done = Run(part, address);
        bool right = done && _bounce.Bytes[..SectorBytes].IndexOfAnyExcept((byte)0x5A) < 0;
        if (part == Part.Used)
        {
            right = plant && BinaryPrimitives.ReadUInt16LittleEndian(Peek(address, SectorBytes).AsSpan(2)) == 1;
        }

        if (plant)
        {
            Poke(address, old);
        }

        return right;
    }

    private static uint Place(Part part) => part switch
    {
        Part.Descriptors => Descriptors,
        Part.Available => Available,
        _ => Used,
    };

    private static (RegisterRange Range, uint Offset, uint Capability) Structure(PciFunction function, uint kind)
    {
        for (uint at = function.FindCapability(VendorCapability); at != 0; at = function.FindCapability(VendorCapability, at))
        {
            if (function.Read32(at) >> 24 == kind)
            {
                return (function.MapBar((int)(function.Read32(at + 4) & 0xFF), BarBytes), function.Read32(at + 8), at);
            }
        }

        throw new InvalidOperationException($"the virtio disk has no structure {kind}");
    }

    private void Prepare(bool toDisk, ulong sector, ulong address, int bytes)
    {
        Span<byte> page = _ring.Bytes;
        page.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page[(int)Header..], toDisk ? 1u : 0u);
        BinaryPrimitives.WriteUInt64LittleEndian(page[(int)(Header + 8)..], sector);
        page[(int)Status] = Unanswered;
        Describe(0, _ring.Address + Header, 16, Next, 1);
        Describe(1, address, (uint)bytes, (ushort)(Next | (toDisk ? 0 : DeviceWrites)), 2);
        Describe(2, _ring.Address + Status, 1, DeviceWrites, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(page[(int)Available..], NoInterrupt);
        BinaryPrimitives.WriteUInt16LittleEndian(page[(int)(Available + 2)..], 1);
    }

    private void Describe(int index, ulong address, uint bytes, ushort flags, ushort next)
    {
        Span<byte> at = _ring.Bytes.Slice((int)Descriptors + (index * 16), 16);
        BinaryPrimitives.WriteUInt64LittleEndian(at, address);
        BinaryPrimitives.WriteUInt32LittleEndian(at[8..], bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(at[14..], next);
    }

    private bool Run(Part elsewhere, ulong address)
    {
        Negotiate();
        Common16(0x16, 0);
        Common16(0x18, QueueSize);
        _common.WriteHalves(_commonOffset + 0x20, elsewhere == Part.Descriptors ? address : _ring.Address + Descriptors);
        _common.WriteHalves(_commonOffset + 0x28, elsewhere == Part.Available ? address : _ring.Address + Available);
        _common.WriteHalves(_commonOffset + 0x30, elsewhere == Part.Used ? address : _ring.Address + Used);
        uint notify = _notifyOffset + (_common.Read16(_commonOffset + 0x1E) * _notifyMultiplier);
        Common16(0x1A, _vector);
        Common16(0x1C, 1);
        SetStatus(0xF);
        Thread.MemoryBarrier();
        _notify.Write16(notify, 0);
        return Wait.For(() => Answer() != Unanswered || (ReadStatus() & NeedsReset) != 0, Patience) && Answer() == 0;
    }

    private void Negotiate()
    {
        SetStatus(0);
        Wait.Until(() => ReadStatus() == 0, "the virtio disk does not reset");
        SetStatus(0x3);
        _common.Write32(_commonOffset + 8, 0);
        _common.Write32(_commonOffset + 0xC, 0);
        _common.Write32(_commonOffset + 8, 1);
        _common.Write32(_commonOffset + 0xC, HighFeatures);
        SetStatus(0xB);
        if ((ReadStatus() & 8) == 0)
        {
            throw new InvalidOperationException("the virtio disk refuses the features");
        }
    }

    private byte Answer() => Volatile.Read(ref _ring.Bytes[(int)Status]);

    private byte ReadStatus() => _common.Read8(_commonOffset + DeviceStatus);

    private void SetStatus(byte status) => _common.Write8(_commonOffset + DeviceStatus, status);

    private void Common16(uint offset, ushort value) => _common.Write16(_commonOffset + offset, value);
}
