using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>One holder at a time, nobody sleeps for ever, and whoever waits names the holder, so that SK can help it.</summary>
public class LockTests
{
    /// <summary>SK's rules for waits, with one counter for all ids: everything that may end a wait for nothing does.</summary>
    private sealed class Waits
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<uint, (ulong Id, ulong Epoch)> _sleepers = [];
        private uint _last;
        private ulong _counter;

        public List<uint> Owners { get; } = [];

        public int Sleeps { get; private set; }

        public Status Wait(ulong id, ulong epoch, uint owner)
        {
            uint me;
            lock (_gate)
            {
                Owners.Add(owner);
                if (_counter > epoch) { return Status.Ok; }

                Sleeps++;
                me = ++_last;
                _sleepers.Add(me, (id, epoch));
            }

            long end = Environment.TickCount64 + 30_000;
            for (SpinWait wait = default; ; wait.SpinOnce())
            {
                if (Environment.TickCount64 > end) { throw new TimeoutException("a thread sleeps for ever"); }

                lock (_gate)
                {
                    if (!_sleepers.ContainsKey(me)) { return Status.Ok; }
                }
            }
        }

        public void Wake(ulong id, ulong epoch)
        {
            lock (_gate)
            {
                _counter = Math.Max(_counter, epoch);
                foreach (uint sleeper in _sleepers.Where(s => s.Value.Id == id && s.Value.Epoch < epoch).Select(s => s.Key).ToArray()) { _sleepers.Remove(sleeper); }
            }
        }
    }

    private readonly struct Machine(Waits waits, Action? beforeWait = null) : IKitWaits
    {
        public Status WaitEpoch(ulong id, ulong epoch, uint owner, ulong deadline)
        {
            beforeWait?.Invoke();
            return waits.Wait(id, epoch, owner);
        }

        public void WakeEpoch(ulong id, ulong epoch, EpochWake whom, int thread) => waits.Wake(id, epoch);
    }

    private KitLock _lock;
    private long _inside;

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void OneHoldsItAndNobodyIsForgotten(int count)
    {
        const int Rounds = 1000;
        Waits waits = new();
        long sum = 0;
        int wrong = 0;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(number => new Thread(() =>
        {
            Machine machine = new(waits);
            for (int i = 0; i < Rounds; i++)
            {
                try { _lock.Acquire(ref machine, number); }
                catch (TimeoutException)
                {
                    return;
                }

                if (Interlocked.Increment(ref _inside) != 1) { Interlocked.Increment(ref wrong); }

                sum++;
                if (i % 50 == 0) { Thread.Sleep(1); }

                Interlocked.Decrement(ref _inside);
                _lock.Release(ref machine);
            }
        }) { IsBackground = true })];
        foreach (Thread thread in threads) { thread.Start(); }

        foreach (Thread thread in threads) { thread.Join(); }

        Assert.Equal((0, count * Rounds), (wrong, sum));
        Assert.True(waits.Sleeps > 0, "nobody had to wait");
        Assert.All(waits.Owners, owner => Assert.InRange(owner, 1u, (uint)count));
    }

    [Fact]
    public void AReleaseBetweenTheLookAndTheWaitIsNotLost()
    {
        Waits waits = new();
        Machine holder = new(waits);
        _lock.Acquire(ref holder, 3);
        Machine waiter = new(waits, () => _lock.Release(ref holder));
        _lock.Acquire(ref waiter, 5);
        Assert.Equal(0, waits.Sleeps);
        Assert.Equal([4u], waits.Owners);
    }

    [Fact]
    public void EpochsRise()
    {
        ulong first = _lock.NextEpoch();
        Assert.True(_lock.NextEpoch() > first);
    }
}
