using System;
using System.Buffers.Binary;
using System.Threading;

namespace Exclaves.Attack;

/// <summary>An e1000 without a driver, looped back in itself: what it sends, it receives.</summary>
/// <remarks>Intel 8254x Software Developer's Manual, 3.2, 3.3, 13.4. Rings of eight legacy descriptors; each packet on rings just set up.</remarks>
internal sealed class PacketCard
{
    public const ushort Vendor = 0x8086;
    public const ushort Id = 0x100E;
    public const int PacketBytes = 128;
    public const int RingBytes = Count * 16;

    private const int Count = 8;
    private const int RegisterBytes = 0x6000;
    private const uint Mdic = 0x0020;
    private const uint Mask = 0x00D8;
    private const uint ReceiveControl = 0x0100;
    private const uint TransmitControl = 0x0400;
    private const uint ReceiveRing = 0x2800;
    private const uint TransmitRing = 0x3800;

    // Distances from a ring's base register.
    private const uint Length = 8;
    private const uint Head = 0x10;
    private const uint Tail = 0x18;

    private const uint Enable = 1 << 1;
    private const uint AllAddresses = (1 << 3) | (1 << 4) | (1 << 15);

    /// <summary>MDIC: write, PHY 1, register 0 (control), loopback and 1000 Mb/s full duplex.</summary>
    private const uint PhyLoopback = (1u << 26) | (1u << 21) | 0x4140;
    private const uint EndOfPacket = 0x0B;
    private const int DoneAt = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly RegisterRange _registers;
    private readonly KernelPage _rings;
    private bool _receives;

    public PacketCard(AttackDevice device)
    {
        _registers = PciFunction.Find(device, 0, Vendor, Id).Enable().MapBar(0, RegisterBytes);
        _rings = device.NewPage(forDevices: true);
        OutPage = device.NewPage(forDevices: true);
        InPage = device.NewPage(forDevices: true);
        _registers.Write32(Mask, uint.MaxValue);
        _registers.Write32(Mdic, PhyLoopback);
        SetUp(_rings.Address, _rings.Address + RingBytes);
        _registers.Write32(TransmitControl, Enable);
        _registers.Write32(ReceiveControl, Enable | AllAddresses);
    }

    /// <summary>What <see cref="Send"/> sends when it is told nothing else.</summary>
    public KernelPage OutPage { get; }

    /// <summary>Where packets arrive when nothing else is said.</summary>
    public KernelPage InPage { get; }

    /// <summary>The receive ring and the transmit ring with one packet each, as they would lie in memory.</summary>
    public byte[] Rings(ulong from, ulong to)
    {
        byte[] rings = new byte[2 * RingBytes];
        for (int i = 0; i < Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rings.AsSpan(i * 16), to);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(rings.AsSpan(RingBytes), from);
        BinaryPrimitives.WriteUInt32LittleEndian(rings.AsSpan(RingBytes + 8), PacketBytes | (EndOfPacket << 24));
        return rings;
    }

    /// <summary>Sends one packet from a physical address and receives it at another. True: the card says that it has arrived.</summary>
    public bool Send(ulong from, ulong to)
    {
        Rings(from, to).CopyTo(_rings.Bytes);
        return Go(_rings.Address, _rings.Address + RingBytes, () => Volatile.Read(ref _rings.Bytes[DoneAt]) != 0);
    }

    /// <summary>Sends the packet of <see cref="OutPage"/> with rings that lie where they lie. True: it has arrived in <see cref="InPage"/>.</summary>
    public bool SendWith(ulong receiveRing, ulong transmitRing) => Go(receiveRing, transmitRing, () => InPage.Bytes[0] != 0);

    /// <summary>Rings as usual, in Linux's page.</summary>
    public (ulong Receive, ulong Transmit) OwnRings()
    {
        Rings(OutPage.Address, InPage.Address).CopyTo(_rings.Bytes);
        return (_rings.Address, _rings.Address + RingBytes);
    }

    // After it was told to receive, the card takes a second before it does; until then what it sends to itself is lost.
    private bool Go(ulong receiveRing, ulong transmitRing, Func<bool> arrived)
    {
        if (!_receives)
        {
            _receives = true;
            byte[] wanted = _rings.Bytes[..(2 * RingBytes)].ToArray();
            Wait.Until(() => Send(OutPage.Address, InPage.Address), "the network card does not receive its own packets");
            wanted.CopyTo(_rings.Bytes);
            InPage.Bytes.Clear();
        }

        SetUp(receiveRing, transmitRing);
        Thread.MemoryBarrier();
        _registers.Write32(TransmitRing + Tail, 1);
        return Wait.For(arrived, Patience);
    }

    private void SetUp(ulong receiveRing, ulong transmitRing)
    {
        Place(ReceiveRing, receiveRing);
        Place(TransmitRing, transmitRing);
        _registers.Write32(ReceiveRing + Tail, Count - 1);
    }

    private void Place(uint ring, ulong address)
    {
        _registers.WriteHalves(ring, address);
        _registers.Write32(ring + Length, RingBytes);
        _registers.Write32(ring + Head, 0);
        _registers.Write32(ring + Tail, 0);
    }
}
