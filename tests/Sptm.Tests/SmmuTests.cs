using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>What devices reach (I4): the tables, walked as the SMMU walks them, and how the SMMU is brought to use them.</summary>
public class SmmuTests
{
    private const ulong Tables = 0x1_0000_0000;
    private const ulong Registers = 0x0905_0000;
    private const ulong Mib = 0x10_0000;
    private const ulong Page = 4096;

    private const ulong Cr0 = Registers + 0x20;
    private const ulong Cr0Ack = Registers + 0x24;
    private const ulong Gbpa = Registers + 0x44;
    private const ulong Gerror = Registers + 0x60;
    private const ulong GerrorN = Registers + 0x64;
    private const ulong CommandProducer = Registers + 0x98;
    private const ulong CommandConsumer = Registers + 0x9C;
    private const ulong EventProducer = Registers + 0x1_00A8;
    private const ulong EventConsumer = Registers + 0x1_00AC;

    /// <summary>A frame table as the boot code makes it: image and pool claimed, the rest Linux's.</summary>
    private static FrameEntry[] Machine(ulong ramBytes, ulong secureEnd, ulong poolBytes)
    {
        FrameEntry[] entries = new FrameEntry[ramBytes / Page];
        FrameTable frames = new(entries, Virt.RamBase);
        Assert.Equal(Status.Ok, frames.Claim(Virt.ImageBase, secureEnd - Virt.ImageBase, FrameType.SkDefault));
        Assert.Equal(Status.Ok, frames.Claim(Virt.RamBase + ramBytes - poolBytes, poolBytes, FrameType.SptmData));
        frames.ClaimRestForLinux();
        return entries;
    }

    private static SmmuWalker Build(FrameEntry[] entries)
    {
        ulong[] memory = new ulong[SmmuTables.Bytes / 8];
        Assert.True(SmmuTables.TryBuild(memory, Tables, new FrameTable(entries, Virt.RamBase)));
        return new SmmuWalker(memory, Tables);
    }

    [Fact]
    public void EveryStreamIdLeadsToTheSameClosedEntry()
    {
        ulong[] memory = new ulong[SmmuTables.Bytes / 8];
        FrameEntry[] entries = Machine(2048 * Mib, 0x4800_0000, 128 * Mib);
        Assert.True(SmmuTables.TryBuild(memory, Tables, new FrameTable(entries, Virt.RamBase)));
        SmmuWalker walker = new(memory, Tables);
        ulong[] expected = EntryAt(memory, walker.FindEntry(0)!.Value);
        for (uint stream = 0; stream < 0x1_0000; stream++)
        {
            ulong entry = walker.FindEntry(stream)!.Value;
            Assert.InRange(entry, Tables + SmmuTables.StreamEntries, Tables + SmmuTables.StreamEntries + Page - 64);
            Assert.True(expected.AsSpan().SequenceEqual(EntryAt(memory, entry)));
            Assert.Equal(0x7000_0000ul, walker.Translate(stream, 0x7000_0000));
            Assert.Null(walker.Translate(stream, Virt.SptmBase));
        }

        Assert.Null(walker.FindEntry(0x1_0000));
        Assert.Null(walker.FindEntry(uint.MaxValue));
    }

    [Fact]
    public void AnEntryRefusesStallsSubstreamsAtsAndBypass()
    {
        ulong[] memory = new ulong[SmmuTables.Bytes / 8];
        FrameEntry[] entries = Machine(2048 * Mib, 0x4800_0000, 128 * Mib);
        Assert.True(SmmuTables.TryBuild(memory, Tables, new FrameTable(entries, Virt.RamBase)));
        ulong[] entry = EntryAt(memory, Tables + SmmuTables.StreamEntries);
        Assert.Equal(0xBul, entry[0] & 0xF);
        Assert.Equal(0ul, entry[0] >> 59);
        Assert.Equal(0ul, entry[1] & 3);
        Assert.Equal(0ul, (entry[1] >> 27) & 1);
        Assert.Equal(0ul, (entry[1] >> 28) & 3);
        ulong context = memory[SmmuTables.Context / 8];
        Assert.Equal(0ul, (context >> 42) & 7);
        Assert.Equal(3ul, (context >> 45) & 3);
        Assert.Equal(1ul, (context >> 30) & 1);
    }

    public static TheoryData<ulong, ulong, ulong> Machines => new()
    {
        // RAM, end of the secure image, pool: MiB of RAM from 512 to 4096, with the pool inside and above the window.
        { 512 * Mib, 0x4400_0000, 128 * Mib },
        { 1024 * Mib, 0x4400_0000, 128 * Mib },
        { 1025 * Mib, 0x4400_0000, 128 * Mib },
        { 1088 * Mib, 0x4400_0000, 128 * Mib },
        { 2048 * Mib, 0x4400_0000, 128 * Mib },
        { 4096 * Mib, 0x4400_0000, 128 * Mib },
    };

    [Theory, MemberData(nameof(Machines))]
    public void TheWindowMapsExactlyLinuxsFramesBelowItsLimit(ulong ramBytes, ulong secureEnd, ulong poolBytes)
    {
        SmmuWalker walker = Build(Machine(ramBytes, secureEnd, poolBytes));
        ulong pool = Virt.RamBase + ramBytes - poolBytes;
        for (ulong address = 0; address < 0x1_4000_0000; address += Page)
        {
            bool ram = address >= Virt.RamBase && address < Virt.RamBase + ramBytes;
            bool secure = (address >= Virt.ImageBase && address < secureEnd) || address >= pool;
            bool open = ram && !secure && address < 0x8000_0000;
            ulong? reached = walker.Translate(0x1234, address + 0x123);
            Assert.True(reached == (open ? address + 0x123 : null), $"{address:x} leads to {reached:x}");
        }
    }

    [Fact]
    public void NothingOutsideRamIsMapped()
    {
        SmmuWalker walker = Build(Machine(2048 * Mib, 0x4800_0000, 128 * Mib));
        ulong[] forbidden =
        [
            0, Virt.GicDistributor, 0x0809_0040, Virt.GicRedistributor, Virt.Uart, 0x0902_0000, Virt.Smmu, Virt.VirtioMmio, Virt.PcieLow,
            Virt.PcieConfiguration, Virt.PcieHigh, 1ul << 38, 1ul << 39, 1ul << 48, 0xFF00_0000_7000_0000, ulong.MaxValue,
        ];
        foreach (ulong address in forbidden)
        {
            Assert.Null(walker.Translate(8, address));
        }

        for (int bit = 31; bit < 64; bit++)
        {
            Assert.Null(walker.Translate(8, 0x7000_0000 | (1ul << bit)));
        }
    }

    [Fact]
    public void AnyFrameTableIsFollowedFrameByFrame() =>
        Gen.Select(Gen.Int[1, 1100], Gen.Select(Gen.Int[0, 1100 * 256 - 1], Gen.Int[1, 5000], Gen.Int[0, FrameRules.TypeCount - 1]).Array[0, 3]).Sample((mib, claims) =>
        {
            FrameEntry[] entries = new FrameEntry[mib * 256];
            Array.Fill(entries, new FrameEntry { Type = FrameType.XnuDefault });
            foreach ((int start, int count, int type) in claims)
            {
                for (int i = start; i < Math.Min(start + count, entries.Length); i++)
                {
                    entries[i].Type = (FrameType)type;
                }
            }

            SmmuWalker walker = Build(entries);
            for (int i = 0; i < entries.Length; i++)
            {
                ulong address = Virt.RamBase + ((ulong)i << 12);
                bool open = entries[i].Type == FrameType.XnuDefault && address < 0x8000_0000;
                Assert.Equal(open ? address : null, walker.Translate((uint)i & 0xFFFF, address));
            }
        }, iter: 40);

    [Fact]
    public void AWindowInTooManyPartsIsRefusedAndNeverMapsMore()
    {
        FrameEntry[] entries = new FrameEntry[1024 * 256];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i].Type = i % 512 == 7 ? FrameType.SkDefault : FrameType.XnuDefault;
        }

        ulong[] memory = new ulong[SmmuTables.Bytes / 8];
        Assert.False(SmmuTables.TryBuild(memory, Tables, new FrameTable(entries, Virt.RamBase)));
        SmmuWalker walker = new(memory, Tables);
        for (int i = 7; i < entries.Length; i += 512)
        {
            Assert.Null(walker.Translate(0, Virt.RamBase + ((ulong)i << 12)));
        }
    }

    [Fact]
    public void TheWindowEndsWhereTheTablesEnd()
    {
        Assert.False(DmaWindow.Contains(Virt.RamBase - 1));
        Assert.True(DmaWindow.Contains(Virt.RamBase));
        Assert.True(DmaWindow.Contains(0x7FFF_FFFF));
        Assert.False(DmaWindow.Contains(0x8000_0000));
        Assert.False(DmaWindow.Contains(ulong.MaxValue));
        Assert.Equal(1, Enum.GetValues<FrameType>().Count(DmaWindow.Maps));
        foreach (FrameType type in Enum.GetValues<FrameType>().Where(DmaWindow.Maps))
        {
            Assert.Equal(FrameAccess.All, FrameRules.LinuxAccess(type));
        }
    }

    /// <summary>An SMMU that firmware left switched on and translating something else, or off and letting everything pass.</summary>
    /// <param name="memory">Where a transaction is allowed to go is asked after every register write.</param>
    private static void FakeSmmu(uint cr0, Action? afterWrite = null)
    {
        FakeBus.Reset((address, value) =>
        {
            Dictionary<ulong, uint> words = FakeBus.Words;
            if (address == Gbpa)
            {
                words[Gbpa] = value & ~(1u << 31);
            }

            if (address == Cr0)
            {
                words[Cr0Ack] = value;
            }

            if (address == CommandProducer && (words[Cr0] & 8) != 0)
            {
                words[CommandConsumer] = value;
            }

            afterWrite?.Invoke();
        });
        FakeBus.Words[Cr0] = FakeBus.Words[Cr0Ack] = cr0;
        FakeBus.Words[Registers] = (1 << 1) | (2 << 2) | (1 << 27);
        FakeBus.Words[Registers + 4] = 16;
    }

    [Theory, InlineData(0u), InlineData(1u), InlineData(0xFu)]
    public void ATransactionNeverPassesUncheckedWhileItStarts(uint cr0)
    {
        int steps = 0;
        FakeSmmu(cr0, () =>
        {
            Dictionary<ulong, uint> words = FakeBus.Words;
            bool enabled = (words[Cr0] & 1) != 0;
            bool ours = words.GetValueOrDefault(Registers + 0x84) == (uint)((Tables | (1ul << 62)) >> 32) && words.GetValueOrDefault(Registers + 0x80) == unchecked((uint)Tables);
            bool aborts = (words.GetValueOrDefault(Gbpa) & (1 << 20)) != 0;
            Assert.True(enabled ? ours || steps == 0 : aborts || cr0 == 0 && steps == 0, $"step {steps}");
            steps++;
        });
        Assert.True(SmmuControl<FakeBus>.TryStart(Registers, Tables, out ReadOnlySpan<byte> rule), Encoding.ASCII.GetString(rule));
        Assert.Equal(5u, FakeBus.Words[Cr0]);
        Assert.Equal((1u << 16) | (6u << 6) | 16, FakeBus.Words[Registers + 0x88]);
        Assert.Equal(SmmuTables.CommandCount, FakeBus.Words[CommandConsumer]);
        Assert.Equal(0u, FakeBus.Words[Registers + 0x50]);
        Assert.Equal((Gbpa, (1ul << 31) | (1ul << 20)), FakeBus.Writes[0]);
    }

    [Theory]
    [InlineData(0x0ul, 0u)]
    [InlineData(0x0ul, (1u << 1) | (2u << 2))]
    [InlineData(0x0ul, (1u << 0) | (2u << 2) | (1u << 27))]
    [InlineData(0x0ul, (1u << 1) | (1u << 2) | (1u << 27))]
    [InlineData(0x4ul, 15u)]
    [InlineData(0x4ul, 16u | (1u << 30))]
    [InlineData(0x4ul, 16u | (1u << 29))]
    public void AnSmmuThatCannotIsRefusedAndStaysShut(ulong register, uint value)
    {
        FakeSmmu(0);
        FakeBus.Words[Registers + register] = value;
        Assert.False(SmmuControl<FakeBus>.TryStart(Registers, Tables, out ReadOnlySpan<byte> rule));
        Assert.Contains("lacks", Encoding.ASCII.GetString(rule));
        Assert.Equal(0u, FakeBus.Words[Cr0]);
        Assert.Equal(1u << 20, FakeBus.Words[Gbpa]);
    }

    [Fact]
    public void ADeadSmmuEndsTheBootInsteadOfHangingIt()
    {
        FakeBus.Reset(onRead: address => address == Cr0Ack ? 0xFFu : 0);
        Assert.False(SmmuControl<FakeBus>.TryStart(Registers, Tables, out ReadOnlySpan<byte> rule));
        Assert.Contains("does not answer", Encoding.ASCII.GetString(rule));
    }

    [Fact]
    public void ACommandErrorIsSeen()
    {
        FakeSmmu(0, () => FakeBus.Words[Gerror] = FakeBus.Words.GetValueOrDefault(CommandProducer) != 0 ? 1u : 0);
        Assert.False(SmmuControl<FakeBus>.TryStart(Registers, Tables, out _));
        Assert.Equal(0u, FakeBus.Words[Cr0] & 1);
    }

    /// <summary>An SMMU's side of the event queue.</summary>
    private sealed class EventSource
    {
        public ulong[] Queue { get; } = new ulong[SmmuTables.EventWords << SmmuTables.EventQueueBits];

        public void Refuse(uint stream, ulong address, bool abortWhenFull)
        {
            uint producer = FakeBus.Words.GetValueOrDefault(EventProducer);
            uint consumer = FakeBus.Words.GetValueOrDefault(EventConsumer);
            if (((producer - consumer) & 0xFF) == 128)
            {
                if (abortWhenFull)
                {
                    FakeBus.Words[Gerror] = FakeBus.Words.GetValueOrDefault(GerrorN) ^ 4;
                }
                else
                {
                    FakeBus.Words[EventProducer] = (producer & 0xFF) | (~consumer & (1u << 31));
                }

                return;
            }

            int at = (int)(producer & 127) * 4;
            Queue[at] = 0x10 | ((ulong)stream << 32);
            Queue[at + 2] = address;
            FakeBus.Words[EventProducer] = (producer & (1u << 31)) | ((producer + 1) & 0xFF);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void EveryRefusalIsCountedAndAFullQueueNeitherHangsNorHides(bool abortWhenFull) =>
        Gen.Int[0, 300].Array[1, 20].Sample(bursts =>
        {
            FakeBus.Reset();
            EventSource source = new();
            SmmuEvents events = default;
            uint serial = 0;
            foreach (int burst in bursts)
            {
                uint firstSerial = serial;
                for (int i = 0; i < burst; i++)
                {
                    source.Refuse(serial & 0xFFFF, 0x4020_0000 + serial, abortWhenFull);
                    serial++;
                }

                uint counted = events.Drain<FakeBus>(Registers, source.Queue);
                Assert.Equal(burst <= 128 ? (uint)burst : 129u, counted);
                if (burst > 0)
                {
                    uint last = burst <= 128 ? serial - 1 : firstSerial + 127;
                    Assert.Equal((last & 0xFFFF, 0x4020_0000ul + last), (events.LastStream, events.LastAddress));
                }

                Assert.Equal(0u, events.Drain<FakeBus>(Registers, source.Queue));
            }
        }, iter: 200);

    [Fact]
    public void AnSmmuThatLiesAboutItsQueueIsBounded() =>
        Gen.UInt.Array[1, 10].Sample(producers =>
        {
            FakeBus.Reset();
            EventSource source = new();
            SmmuEvents events = default;
            foreach (uint producer in producers)
            {
                FakeBus.Words[EventProducer] = producer;
                Assert.InRange(events.Drain<FakeBus>(Registers, source.Queue), 0u, 129u);
            }
        });

    private static ulong[] EntryAt(ulong[] memory, ulong address) => memory[(int)((address - Tables) / 8)..(int)((address - Tables) / 8 + 8)];
}
