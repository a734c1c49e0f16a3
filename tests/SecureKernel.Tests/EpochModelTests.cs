using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Threads of one component with a lock made of a word and epochs, on several CPUs in random order: each gets it as often as it wants, and no two have it at once.</summary>
public class EpochModelTests
{
    private const int Cpus = 3;
    private const uint Threads = 5;
    private const int Rounds = 6;
    private const ulong Lock = 0x10C4;
    private const ulong Done = 0xD04E;
    private const ulong Code = Sk.EntryPoint + 0x40;

    /// <summary>Where a thread of the program stands.</summary>
    private enum At
    {
        Begin,
        TakeEpoch,
        LookAtLock,
        Wait,
        Inside,
        Wake,
        End,
        WaitForAll,
    }

    private sealed class Program
    {
        public At At;
        public ulong Epoch;
        public ulong Seen;
        public int Left = Rounds;
        public int Work;
        public bool Woke;
    }

    private sealed class Machine
    {
        private readonly Sk _sk;
        private readonly System.Random _random;
        private readonly Program[] _programs = [.. Enumerable.Range(0, (int)Threads).Select(_ => new Program())];
        private readonly bool _forgets;

        // The component's memory: the lock (1 + owner, or 0), whether somebody waits for it, the epochs, and who has finished.
        private ulong _holder;
        private bool _hasWaiters;
        private ulong _lockEpoch;
        private ulong _doneEpoch;
        private int _finished;
        private readonly Dictionary<int, ulong> _tokens = [];

        /// <param name="forgets">The waker changes the epoch before it gives the lock back: what the order is for.</param>
        public Machine(int seed, bool forgets)
        {
            _forgets = forgets;
            _random = new System.Random(seed);
            Sk sk = Sk.Prepare();
            Sk.Entry(Sk.Kit).MaxThreads = Threads;
            Sk.Entry(Sk.Kit).QuotaBytes = 128 * Limits.PageBytes;
            _sk = Sk.BootPrepared(sk);
            _sk.Forward(0, Sk.KitSlot, Sk.Kit);
            for (uint i = 1; i < Threads; i++)
            {
                _sk.Call(0, SecureCall.StartThread, Code);
            }

            _programs[0].At = At.WaitForAll;
            for (int cpu = 1; cpu < Cpus; cpu++)
            {
                _sk.Enter(cpu, Tee.CallWithRegdArg, 9);
                _sk.AssertRuns(cpu, Sk.Proxy);
                _sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
                _sk.Call(cpu, SecureCall.ForwardReceive, Sk.KitSlot);
            }
        }

        public ulong Helped => _sk.State.Counters[(int)SkCounter.Helped];
        public bool IsComplete => _finished == (int)Threads;
        public ComponentState Life => _sk.At(Sk.Kit).Life;

        public void Step(int cpu)
        {
            switch (_sk.Steps[cpu])
            {
                case SecureKernel.Step.Leave:
                    _sk.Enter(cpu, Tee.ReturnFromRpc, 0, 0, _tokens[cpu]);
                    break;
                case SecureKernel.Step.Run when _sk.OnCpu(cpu).Component != Sk.Kit:
                    break;
                case SecureKernel.Step.Run when _random.Next(5) == 0:
                    _sk.Interrupt(cpu);
                    break;
                case SecureKernel.Step.Run:
                    Run(cpu, _programs[_sk.OnCpu(cpu).Number]);
                    break;
                default:
                    _sk.Next(cpu);
                    break;
            }

            if (_sk.Steps[cpu] == SecureKernel.Step.Leave)
            {
                _tokens[cpu] = _sk.State.Cpus[cpu].X3;
            }
        }

        /// <summary>One instruction of the program, or a few that nobody can come between.</summary>
        private void Run(int cpu, Program program)
        {
            ulong me = _sk.OnCpu(cpu).Number + 1;
            switch (program.At)
            {
                case At.Begin when program.Left == 0:
                    program.At = At.End;
                    break;
                case At.Begin:
                    program.At = _holder == 0 ? At.Inside : At.TakeEpoch;
                    _holder = _holder == 0 ? me : _holder;
                    program.Work = _random.Next(4);
                    break;
                case At.TakeEpoch:
                    program.Epoch = _lockEpoch;
                    program.At = At.LookAtLock;
                    break;
                case At.LookAtLock:
                    _hasWaiters |= _holder != 0;
                    program.Seen = _holder;
                    program.At = _holder != 0 ? At.Wait : At.Begin;
                    break;
                case At.Wait:
                    program.At = At.Begin;
                    _sk.Call(cpu, SecureCall.WaitEpoch, Lock, program.Epoch, program.Seen);
                    break;
                case At.Inside:
                    Assert.Equal(me, _holder);
                    if (program.Work-- > 0)
                    {
                        break;
                    }

                    program.Woke = _hasWaiters;
                    program.Epoch = _forgets ? ++_lockEpoch : 0;
                    _holder = 0;
                    _hasWaiters = false;
                    program.Left--;
                    program.At = program.Woke ? At.Wake : At.Begin;
                    break;
                case At.Wake:
                    program.At = At.Begin;
                    _sk.Call(cpu, SecureCall.WakeEpoch, Lock, _forgets ? program.Epoch - 1 : ++_lockEpoch, (ulong)EpochWake.All);
                    break;
                case At.End:
                    _finished++;
                    program.At = At.WaitForAll;
                    _sk.Call(cpu, SecureCall.WakeEpoch, Done, ++_doneEpoch, (ulong)EpochWake.Thread, 0);
                    break;
                case At.WaitForAll when me != 1:
                    _sk.Call(cpu, SecureCall.ExitThread);
                    break;
                case At.WaitForAll when _finished == (int)Threads - 1:
                    _finished++;
                    break;
                case At.WaitForAll:
                    _sk.Call(cpu, SecureCall.WaitEpoch, Done, _doneEpoch);
                    break;
                default:
                    break;
            }
        }
    }

    private static bool Finishes(int seed, int[] order, bool forgets, ref ulong helped)
    {
        Machine machine = new(seed, forgets);
        for (int i = 0; !machine.IsComplete && machine.Life != ComponentState.Dead; i++)
        {
            Assert.True(i < 50_000, "somebody waits for ever");
            machine.Step(i < order.Length ? order[i] : i % Cpus);
        }

        helped += machine.Helped;
        return machine.IsComplete;
    }

    [Fact]
    public void NoWakeUpIsLost()
    {
        ulong helped = 0;
        Gen.Select(Gen.Int, Gen.Int[0, Cpus - 1].Array[50, 400]).Sample((seed, order) => Finishes(seed, order, false, ref helped), iter: 300, threads: 1);
        Assert.True(helped > 1000, $"{helped}");
    }

    /// <summary>The walk finds what it looks for: with a waker that counts too early the component ends in a circle of waits.</summary>
    [Fact]
    public void AWakerThatCountsTooEarlyLosesWakeUps()
    {
        ulong helped = 0;
        System.Random random = new(5);
        Assert.Contains(Enumerable.Range(0, 200), seed => !Finishes(seed, [.. Enumerable.Range(0, 200).Select(_ => random.Next(Cpus))], true, ref helped));
    }

    /// <summary>Waits and wakes against a plain list of who waits, and the counters that ids share.</summary>
    [Fact]
    public void WhoWaitsIsWhoThePlainModelSays()
    {
        Gen.Int.Sample(
            seed =>
            {
                System.Random random = new(seed);
                Sk sk = Sk.Prepare();
                Sk.Entry(Sk.Kit).MaxThreads = Threads + 1;
                Sk.Entry(Sk.Kit).QuotaBytes = 128 * Limits.PageBytes;
                sk = Sk.BootPrepared(sk);
                sk.Forward(0, Sk.KitSlot, Sk.Kit);
                for (uint i = 1; i <= Threads; i++)
                {
                    sk.Call(0, SecureCall.StartThread, Code);
                }

                ulong[] ids = [0, 1, 2, ulong.MaxValue, 0x8000_0000_0000_0000, 77, 78];
                Dictionary<uint, (ulong Id, ulong Epoch, uint Owner)> waiting = [];
                Dictionary<int, ulong> counters = [];
                int Bucket(ulong id) => (int)((id * 0x9E37_79B9_7F4A_7C15) >> 60);
                for (int step = 0; step < 200; step++)
                {
                    ulong id = ids[random.Next(ids.Length)];
                    ulong epoch = (ulong)random.Next(20 + (step / 2));
                    uint number = (uint)random.Next(1, (int)Threads + 1);
                    ref Cpu nobody = ref sk.State.Cpus[5];
                    if (random.Next(2) == 0 && !waiting.ContainsKey(number))
                    {
                        ref Thread thread = ref sk.On(Sk.Kit, number);
                        thread.State = ThreadState.Running;
                        (thread.Context.X[0], thread.Context.X[1], thread.Context.X[2], thread.Context.X[3]) = (id, epoch, number, 0);
                        _ = EpochCalls<FakeMachine>.Wait(ref sk.State, ref nobody, ref thread);
                        if (counters.GetValueOrDefault(Bucket(id)) <= epoch)
                        {
                            waiting[number] = (id, epoch, number);
                        }
                    }
                    else
                    {
                        EpochWake whom = (EpochWake)random.Next(1, 5);
                        sk.Call(0, SecureCall.WakeEpoch, id, epoch, (ulong)whom, number);
                        counters[Bucket(id)] = System.Math.Max(counters.GetValueOrDefault(Bucket(id)), epoch);
                        uint[] older = [.. waiting.Where(w => w.Value.Id == id && w.Value.Epoch < epoch).OrderBy(w => w.Value.Epoch).ThenBy(w => w.Key).Select(w => w.Key)];
                        uint[] woken = whom switch
                        {
                            EpochWake.All => older,
                            EpochWake.Thread => [.. older.Where(n => n == number)],
                            _ => [.. older.Take(1)],
                        };
                        foreach (uint gone in woken)
                        {
                            waiting.Remove(gone);
                        }

                        if (whom == EpochWake.OneWithOwner && woken.Length == 1)
                        {
                            foreach (uint other in waiting.Keys.Where(n => waiting[n].Id == id).ToArray())
                            {
                                waiting[other] = (id, waiting[other].Epoch, woken[0] + 1);
                            }
                        }

                        Assert.Equal((ulong)woken.Length, sk.On(Sk.Kit).Context.X[1]);
                    }

                    for (uint i = 1; i <= Threads; i++)
                    {
                        Assert.Equal(waiting.ContainsKey(i), sk.On(Sk.Kit, i).State == ThreadState.Epoch);
                        if (waiting.TryGetValue(i, out (ulong Id, ulong Epoch, uint Owner) wait))
                        {
                            Assert.Equal(wait, (sk.On(Sk.Kit, i).Target, sk.On(Sk.Kit, i).Epoch, sk.On(Sk.Kit, i).Owner));
                        }
                    }
                }
            },
            iter: 200,
            threads: 1);
    }
}
