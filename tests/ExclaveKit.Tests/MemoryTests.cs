using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>mmap and its family, as the program sees them.</summary>
public class MemoryTests
{
    private const ulong Fixed = 0x10;
    private const ulong Anonymous = 0x22;
    private const ulong NullFile = ulong.MaxValue;

    [Fact]
    public void ReservationsOfHundredsOfGigabytesCostNothing()
    {
        TestKit kit = new(quotaPages: 512);
        int before = kit.World.Frames.Count;
        ulong charged = kit.State.CommittedPages;
        ulong start = kit.Map(300UL << 30, writable: false);
        Assert.False(Result.IsError(start));
        Assert.Equal(before, kit.World.Frames.Count);
        Assert.Equal(charged, kit.State.CommittedPages);

        Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, start + (100UL << 30), 0x10000, 3));
        Assert.Equal(charged + 16, kit.State.CommittedPages);
        Assert.True(kit.Touch(start + (100UL << 30) + 0x5008, write: true));
        Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, start, 300UL << 30));
        Assert.Equal(before, kit.World.Frames.Count);
        Assert.Equal(charged, kit.State.CommittedPages);
    }

    [Fact]
    public void TheQuotaIsRefusedAtCommitNotAtTouch()
    {
        TestKit kit = new(quotaPages: 1024);
        ulong limit = kit.State.CommitLimit;
        ulong left = limit - kit.State.CommittedPages;
        ulong reserve = kit.Map(1UL << 30, writable: false);
        Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Call(LinuxCall.Mprotect, reserve, (left + 1) << 12, 3));
        Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, reserve, left << 12, 3));
        Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Map(4096));
        for (ulong i = 0; i < left; i++) { Assert.True(kit.Touch(reserve + (i << 12), write: true)); }

        Assert.True((ulong)kit.World.Frames.Count - 8 <= limit);
    }

    [Fact]
    public void CodeIsNeverMapped()
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.NotPermitted), kit.Call(LinuxCall.Mmap, 0, 4096, 5, Anonymous, NullFile, 0));
        ulong page = kit.Map(4096);
        Assert.Equal(TestKit.Error(Errno.AccessDenied), kit.Call(LinuxCall.Mprotect, page, 4096, 5));
    }

    [Theory]
    [InlineData(0UL, 4096UL, 3UL, 0UL, Errno.InvalidArgument)]        // neither shared nor private
    [InlineData(0UL, 0UL, 3UL, Anonymous, Errno.InvalidArgument)]      // empty
    [InlineData(0UL, ulong.MaxValue, 3UL, Anonymous, Errno.InvalidArgument)]
    [InlineData(0x20_1000_0001UL, 4096UL, 3UL, Anonymous | Fixed, Errno.InvalidArgument)]
    [InlineData(0x10_0000_0000UL, 4096UL, 3UL, Anonymous | Fixed, Errno.NoMemory)]   // over the program
    [InlineData(0x7E00_0000_0000UL, 4096UL, 3UL, Anonymous | Fixed, Errno.NoMemory)] // over the kit
    [InlineData(0x7CFF_FFFF_F000UL, 8192UL, 3UL, Anonymous | Fixed, Errno.NoMemory)] // over the end
    [InlineData(0UL, 4096UL, 3UL, 2UL, Errno.BadFile)]                 // a file
    [InlineData(0UL, 1UL << 60, 0UL, Anonymous, Errno.NoMemory)]
    public void BadMappingsAreRefused(ulong address, ulong length, ulong protection, ulong flags, Errno expected)
    {
        TestKit kit = new();
        ulong charged = kit.State.CommittedPages;
        Assert.Equal(TestKit.Error(expected), kit.Call(LinuxCall.Mmap, address, length, protection, flags, NullFile, 0));
        Assert.Equal(charged, kit.State.CommittedPages);
    }

    [Fact]
    public void TheBreakGrowsAndShrinks()
    {
        TestKit kit = new();
        ulong start = kit.Call(LinuxCall.Brk, 0);
        ulong charged = kit.State.CommittedPages;
        Assert.Equal(start + 0x21C20, kit.Call(LinuxCall.Brk, start + 0x21C20));
        Assert.Equal(charged + 0x22, kit.State.CommittedPages);
        Assert.True(kit.Touch(start + 0x21C1F, write: true));
        Assert.Equal(start + 0x1000, kit.Call(LinuxCall.Brk, start + 0x1000));
        Assert.Equal(charged + 1, kit.State.CommittedPages);
        Assert.Equal(start + 0x1000, kit.Call(LinuxCall.Brk, start + (1UL << 40)));
        Assert.Equal(start + 0x1000, kit.Call(LinuxCall.Brk, 0));
    }

    [Fact]
    public void RelroGoesToTheKernel()
    {
        TestKit kit = new();
        Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, TestKit.Data, 4096, 1));
        Assert.Contains($"protect {TestKit.Data:X} 1 Read", kit.World.Calls);
        Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Call(LinuxCall.Mprotect, TestKit.Data, 0x100000, 1));
    }

    [Fact]
    public void AFaultBacksAnAlignedGroupWhenAllOfItIsEmpty()
    {
        TestKit kit = new();
        ulong start = kit.Map(16 << 12);
        int before = kit.World.Frames.Count;
        kit.Touch(start + 0x2000, write: true);
        Assert.Equal(before + 4, kit.World.Frames.Count);
        Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, start + 0x2000, 4096));
        Assert.Equal(before + 3, kit.World.Frames.Count);
    }

    /// <summary>Two threads touch a page at once: the second finds it there, and is not sent a signal for it. What may not be done stays a fault.</summary>
    [Fact]
    public void AFaultThatASiblingHasMendedIsNone()
    {
        TestKit kit = new();
        kit.State.Actions[(int)Signal.Segmentation - 1].Handler = 0x1234;
        ulong start = kit.Map(4096);
        kit.Fault(start, write: true);
        kit.Fault(start, write: true);
        Assert.Equal(0UL, kit.State.Statistics[(int)KitStatistic.Signals]);
        Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, start, 4096, 1));
        kit.Fault(start, write: true);
        Assert.Equal(1UL, kit.State.Statistics[(int)KitStatistic.Signals]);
    }

    /// <summary>Random programs against a table of pages with Linux's rules.</summary>
    [Fact]
    public void RandomProgramsAgreeWithLinux()
    {
        const ulong Base = 0x30_0000_0000;
        const int Pages = 24;
        Gen<(int Kind, int First, int Length, int Access, byte Value)> step =
            Gen.Select(Gen.Int[0, 5], Gen.Int[0, Pages - 1], Gen.Int[1, 8], Gen.Int[0, 2], Gen.Byte[1, 255], (k, f, l, a, v) => (k, f, System.Math.Min(l, Pages - f), a, v));
        step.List[1, 60].Sample(steps =>
        {
            TestKit kit = new();
            kit.State.Actions[(int)Signal.Segmentation - 1].Handler = 0x1234;
            kit.State.Actions[(int)Signal.Segmentation - 1].Flags = SignalAction.FlagNoDefer;
            ulong stackPointer = kit.Live.StackPointer;
            ulong charged = kit.State.CommittedPages;
            Page?[] model = new Page?[Pages];
            foreach ((int kind, int first, int length, int access, byte value) in steps)
            {
                ulong address = Base + ((ulong)first << 12);
                ulong bytes = (ulong)length << 12;
                ulong protection = access switch { 0 => 0UL, 1 => 1UL, _ => 3UL };
                bool covered = Enumerable.Range(first, length).All(i => model[i] is not null);
                ulong expected = covered ? 0 : TestKit.Error(Errno.NoMemory);
                switch (kind)
                {
                    case 0:
                        Assert.Equal(address, kit.Call(LinuxCall.Mmap, address, bytes, protection, Anonymous | Fixed, NullFile, 0));
                        for (int i = first; i < first + length; i++) { model[i] = new Page(access, access == 2, 0); }

                        break;
                    case 1:
                        Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, address, bytes));
                        for (int i = first; i < first + length; i++) { model[i] = null; }

                        break;
                    case 2:
                        Assert.Equal(expected, kit.Call(LinuxCall.Mprotect, address, bytes, protection));
                        for (int i = first; covered && i < first + length; i++) { model[i] = model[i]! with { Access = access, Charged = model[i]!.Charged || access == 2 }; }

                        break;
                    case 3:
                        Assert.Equal(expected, kit.Call(LinuxCall.Madvise, address, bytes, 4));
                        for (int i = first; covered && i < first + length; i++) { model[i] = model[i]! with { Value = 0 }; }

                        break;
                    case 4:
                        bool written = kit.Touch(address + 9, write: true);
                        Assert.Equal(model[first] is { Access: 2 }, written);
                        if (written)
                        {
                            kit.World.Frame(address).Data[9] = value;
                            model[first] = model[first]! with { Value = value };
                        }

                        break;
                    default:
                        bool read = kit.Touch(address + 9, write: false);
                        Assert.Equal(model[first] is { Access: > 0 }, read);
                        if (read) { Assert.Equal(model[first]!.Value, kit.World.Frame(address).Data[9]); }

                        break;
                }

                kit.Live.StackPointer = stackPointer;
                Assert.Equal(charged + (ulong)model.Count(p => p is { Charged: true }), kit.State.CommittedPages);
                for (int i = 0; i < Pages; i++)
                {
                    if (model[i] is null) { Assert.DoesNotContain((Base >> 12) + (ulong)i, (IDictionary<ulong, (byte[], MemoryAccess)>)kit.World.Frames); }
                }
            }
        }, iter: 60);
    }

    private sealed record Page(int Access, bool Charged, byte Value);
}
