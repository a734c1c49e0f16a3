using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>Threads, futexes and time.</summary>
public class ThreadTests
{
    private const ulong Word = TestKit.Data + 0x100;
    private const ulong Other = TestKit.Data + 0x140;
    private const ulong Time = TestKit.Data + 0x180;
    private const ulong Wait = 0x80;
    private const ulong Wake = 0x81;
    private const ulong WaitBits = 0x89;
    private const ulong WakeBits = 0x8A;

    [Fact]
    public void ACloneStartsAsItsParentWithOwnStackAndTls()
    {
        TestKit kit = new();
        kit.Live.X[19] = 77;
        kit.Live.V[5] = 99;
        ulong stack = kit.Live.StackPointer;
        uint tid = kit.Clone(stack: 0x20_4000_0000, tls: 0xABC0);
        Assert.Equal(2u, tid);
        Assert.Equal(1u, kit.Tid);
        Assert.Equal(2u, kit.Get<uint>(TestKit.Data + 0xF00));
        Assert.Equal(stack, kit.Live.StackPointer);
        kit.RunUntil(tid);
        Assert.Equal(0UL, kit.Live.X[0]);
        Assert.Equal(77UL, kit.Live.X[19]);
        Assert.Equal(99UL, kit.Live.V[5]);
        Assert.Equal(0x20_4000_0000UL, kit.Live.StackPointer);
        Assert.Equal(0xABC0UL, kit.Live.ThreadPointer);
        Assert.Equal(2UL, kit.Call(LinuxCall.GetTid));
        Assert.Equal(1UL, kit.Call(LinuxCall.GetPid));
    }

    [Theory]
    [InlineData(0x11UL)]       // fork
    [InlineData(0x4111UL)]     // vfork
    [InlineData(0x3C0F00UL)]   // not CLONE_THREAD
    public void ProcessesAreRefused(ulong flags) =>
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), new TestKit().Call(LinuxCall.Clone, flags, 0x20_4000_0000));

    [Fact]
    public void Clone3IsUnknownSoThatTheLibraryFallsBack()
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.Clone3));
        Assert.Empty(kit.World.Log);
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(500));
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(500));
        Assert.Equal("exclavekit: unknown call 500", Assert.Single(kit.World.Log));
    }

    [Fact]
    public void JoiningWaitsForTheClearedTid()
    {
        TestKit kit = new();
        uint tid = kit.Clone(clearTid: Word);
        kit.Put(Word, tid);
        kit.Call(LinuxCall.Futex, Word, Wait, tid, 0);
        Assert.Equal(tid, kit.Tid);
        kit.Call(LinuxCall.Exit, 0);
        Assert.Equal(1u, kit.Tid);
        Assert.Equal(0UL, kit.Live.X[0]);
        Assert.Equal(0u, kit.Get<uint>(Word));
        Assert.Equal(1, kit.State.ThreadCount);
    }

    [Fact]
    public void TheLastThreadEndsTheConclave()
    {
        Assert.Equal(0UL, Assert.Throws<ConclaveEnded>(() => new TestKit().Call(LinuxCall.Exit, 3)).Code);
        Assert.Equal(3UL, Assert.Throws<ConclaveEnded>(() => new TestKit().Call(LinuxCall.ExitGroup, 3)).Code);
    }

    [Fact]
    public void AFutexWithAnotherValueDoesNotWait()
    {
        TestKit kit = new();
        kit.Put(Word, 5u);
        Assert.Equal(TestKit.Error(Errno.TryAgain), kit.Call(LinuxCall.Futex, Word, Wait, 4, 0));
        Assert.Equal(TestKit.Error(Errno.BadAddress), kit.Call(LinuxCall.Futex, 0x40, Wait, 4, 0));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(LinuxCall.Futex, Word + 1, Wait, 4, 0));
        Assert.Equal(TestKit.Error(Errno.NoSystemCall), kit.Call(LinuxCall.Futex, Word, 6, 4, 0));
        Assert.Equal(0UL, kit.Call(LinuxCall.Futex, Word, Wake, 1));
    }

    [Theory]
    [InlineData(Wait, false, false)]
    [InlineData(WaitBits, true, false)]
    [InlineData(WaitBits | 256, true, true)]
    public void ATimedWaitEndsOnTime(ulong operation, bool isAbsolute, bool calendar)
    {
        TestKit kit = new();
        const ulong Milliseconds = 3;
        ulong start = kit.World.Now;
        TimeSpec now = Clock.FromTicks(isAbsolute ? start : 0, FakeWorld.Frequency, calendar);
        kit.Put(Time, new TimeSpec { Seconds = now.Seconds, Nanoseconds = now.Nanoseconds + (Milliseconds * 1_000_000) });
        ulong result = kit.Call((ulong)LinuxCall.Futex, Word, operation, 0, Time, 0, uint.MaxValue);
        Assert.Equal(TestKit.Error(Errno.TimedOut), result);
        Assert.InRange(kit.World.Now - start, Milliseconds * 1000, (Milliseconds * 1000) + kit.World.YieldStep);
    }

    [Fact]
    public void SleepersWakeInTheOrderOfTheirDeadlines()
    {
        TestKit kit = new();
        kit.Put(Time, new TimeSpec { Nanoseconds = 9_000_000 });
        kit.Put(Time + 16, new TimeSpec { Nanoseconds = 2_000_000 });
        uint other = kit.Clone();
        kit.Call(LinuxCall.Nanosleep, Time, 0);
        Assert.Equal(other, kit.Tid);
        kit.Call(LinuxCall.ClockNanosleep, 1, 0, Time + 16, 0);
        Assert.Equal(other, kit.Tid);
        Assert.InRange(kit.World.Now, 3000UL, 3100UL);
        kit.Call(LinuxCall.Nanosleep, Time, 0);
        Assert.Equal(1u, kit.Tid);
    }

    [Fact]
    public void ATurnIsGivenUpInTheKernel()
    {
        TestKit kit = new();
        Assert.Equal(0UL, kit.Call(LinuxCall.SchedYield));
        Assert.Equal(["yield"], kit.World.Calls);
    }

    [Fact]
    public void WakeBitsWakesOnlyThoseWhoShareABit()
    {
        TestKit kit = new();
        uint a = kit.Clone();
        uint b = kit.Clone();
        kit.RunUntil(a);
        kit.Call((ulong)LinuxCall.Futex, Word, WaitBits, 0, 0, 0, 1);
        kit.RunUntil(b);
        kit.Call((ulong)LinuxCall.Futex, Word, WaitBits, 0, 0, 0, 2);
        Assert.Equal(1u, kit.Tid);
        Assert.Equal(1UL, kit.Call((ulong)LinuxCall.Futex, Word, WakeBits, 10, 0, 0, 2));
        Assert.Equal([2], kit.World.Woken);
        kit.RunUntil(b);
    }

    /// <summary>Random waits, wake-ups and requeues of eight threads on two words, against queues.</summary>
    [Fact]
    public void RandomFutexWalksAgreeWithQueues() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[1, 8], Gen.Bool, Gen.Int[0, 3], Gen.Int[0, 3]).List[1, 60].Sample(steps =>
        {
            TestKit kit = new();
            List<uint> free = [.. Enumerable.Range(0, 8).Select(_ => kit.Clone())];
            Dictionary<ulong, List<uint>> queues = new() { [Word] = [], [Other] = [] };
            foreach ((int kind, int thread, bool first, int count, int move) in steps)
            {
                ulong address = first ? Word : Other;
                ulong target = first ? Other : Word;
                List<uint> queue = queues[address];
                if (kind == 0 && free.Contains((uint)thread + 1))
                {
                    kit.RunUntil((uint)thread + 1);
                    kit.Call(LinuxCall.Futex, address, Wait, 0, 0);
                    queue.Add((uint)thread + 1);
                    free.Remove((uint)thread + 1);
                    continue;
                }

                kit.RunUntil(1);
                int woken = System.Math.Min(count, queue.Count);
                free.AddRange(queue.Take(woken));
                queue.RemoveRange(0, woken);
                if (kind == 1)
                {
                    Assert.Equal((ulong)woken, kit.Call(LinuxCall.Futex, address, Wake, (ulong)count));
                    continue;
                }

                int moved = System.Math.Min(move, queue.Count);
                queues[target].AddRange(queue.Take(moved));
                queue.RemoveRange(0, moved);
                Assert.Equal((ulong)(woken + moved), kit.Call((ulong)LinuxCall.Futex, address, 4 | 0x80, (ulong)count, (ulong)move, target, 0));
            }

            foreach (uint tid in free)
            {
                kit.RunUntil(tid);
                Assert.Equal(tid, kit.Tid);
            }
        }, iter: 200);

    [Fact]
    public void ThreadsAreLimitedAndTheirSlotsReused()
    {
        TestKit kit = new();
        for (int i = 1; i < KitState.MaxThreads; i++) { Assert.Equal((uint)i + 1, kit.Clone()); }

        const ulong Flags = 0x3D0F00;
        Assert.Equal(TestKit.Error(Errno.TryAgain), kit.Call(LinuxCall.Clone, Flags, 0x20_4000_0000, TestKit.Data, 0, TestKit.Data));
        kit.RunUntil(5);
        kit.Call(LinuxCall.Exit);
        kit.RunUntil(1);
        Assert.Equal((uint)KitState.MaxThreads + 1, kit.Clone());
    }

    [Fact]
    public void MembarrierIsTheKernelsAndAffinityTellsOfAllCpus()
    {
        TestKit kit = new();
        Assert.Equal(24UL, kit.Call(LinuxCall.Membarrier, 0));
        Assert.Equal(0UL, kit.Call(LinuxCall.Membarrier, 16));
        Assert.Empty(kit.World.Calls);
        Assert.Equal(0UL, kit.Call(LinuxCall.Membarrier, 8));
        Assert.Equal(["barrier"], kit.World.Calls);
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(LinuxCall.Membarrier, 2));
        Assert.Equal(8UL, kit.Call(LinuxCall.SchedGetAffinity, 0, 128, Word));
        Assert.Equal(3UL, kit.Get<ulong>(Word));
    }

    [Fact]
    public void ClocksAgreeWithWideArithmetic() =>
        Gen.Select(Gen.ULong, Gen.ULong[1, uint.MaxValue], Gen.ULong[0, 1UL << 40], Gen.ULong[0, 999_999_999]).Sample((ticks, frequency, seconds, nanoseconds) =>
        {
            TimeSpec time = Clock.FromTicks(ticks, frequency, calendar: false);
            Assert.Equal(ticks / frequency, time.Seconds);
            Assert.Equal((ulong)((System.UInt128)(ticks % frequency) * 1_000_000_000 / frequency), time.Nanoseconds);
            System.UInt128 exact = (((System.UInt128)seconds * 1_000_000_000) + nanoseconds) * frequency;
            System.UInt128 expected = (exact + 999_999_999) / 1_000_000_000;
            ulong actual = Clock.ToTicks(new TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds }, frequency, calendar: false);
            Assert.Equal(expected >= ulong.MaxValue ? ulong.MaxValue : (ulong)expected, actual);
        });
}
