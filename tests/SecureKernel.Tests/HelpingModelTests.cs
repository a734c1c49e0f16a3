using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>A whole machine of several CPUs in random order: calls, interrupts, upcalls, crashes, resets, and invariants after each step.</summary>
public class HelpingModelTests
{
    private const int Cpus = 3;
    private const int LinuxThreads = 6;

    /// <summary>One Linux thread: what it called with, and its token while it is back.</summary>
    private sealed class LinuxThread
    {
        public ulong Nonce;
        public ulong Token;
        public int Cpu = -1;

        /// <summary>Linux started anew while this call was inside: XnuProxy may have forgotten it.</summary>
        public bool CrossedReset;
        public bool IsIdle => Token == 0 && Cpu < 0;
    }

    /// <summary>What runs in a component: remembers its last call, so that the answer means something.</summary>
    private sealed class Program
    {
        public SecureCall Last;
        public int Calls;
    }

    private sealed class Machine
    {
        private readonly Sk _sk = Sk.Boot();
        private readonly LinuxThread[] _threads = [.. Enumerable.Range(0, LinuxThreads).Select(_ => new LinuxThread())];
        private readonly Program[] _programs = [.. Enumerable.Range(0, Sk.Count).Select(_ => new Program())];
        private readonly Dictionary<ulong, ulong> _nonces = [];
        private readonly Random _random;
        private ulong _nonce;
        private bool _calm;
        private bool _isReset;
        private bool _sent;
        private readonly bool _looks;

        /// <summary>Pages of Linux that XnuProxy has in its window all the time.</summary>
        private const ulong Window = UserLayout.SharedBase + (508 * Limits.PageBytes);
        private const uint WindowPages = 8;

        /// <summary>What each call lends, by the id of the downcall, until its answer.</summary>
        private readonly Dictionary<ulong, LentRange[]> _lent = [];

        /// <summary>What the last Forward must be refused with for what it lends.</summary>
        private Status _refusal;

        /// <param name="looks">Interrupts come between the steps of SK too, where the slow path looks for them and the fast path does not.</param>
        public Machine(int seed, bool looks = true)
        {
            _looks = looks;
            _random = new Random(seed);
            _sk.Share(Window, FakeMachine.LinuxBase + 0x10_0000, WindowPages);
            _programs[Sk.Proxy].Last = SecureCall.Receive;
            _programs[Sk.Entropy].Last = SecureCall.Receive;
        }

        /// <summary>All of SK's memory, as one number.</summary>
        public long Fingerprint()
        {
            KernelState state = _sk.State;
            state.Pending &= ~Unassigned;
            HashCode hash = default;
            hash.AddBytes(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref state, 1)));
            hash.AddBytes(FakeMachine.Machine.Memory);
            return hash.ToHashCode();
        }

        public int Ended { get; private set; }
        public int Begun { get; private set; }
        public Sk Sk => _sk;

        public void Step(int cpu)
        {
            FakeMachine.Machine.InterruptPending = !_calm && _random.Next(8) == 0 && _looks;
            switch (_sk.Steps[cpu])
            {
                case SecureKernel.Step.Leave:
                    FromLinux(cpu);
                    break;
                case SecureKernel.Step.Run:
                    Run(cpu);
                    break;
                default:
                    _sk.Next(cpu);
                    break;
            }

            if (_sk.Steps[cpu] == SecureKernel.Step.Leave)
            {
                ToLinux(cpu);
            }

            Check();
        }

        /// <summary>No more mischief: every call must end now.</summary>
        public void Drain()
        {
            _calm = true;
            for (int i = 0; _threads.Any(thread => !thread.IsIdle); i++)
            {
                Assert.True(i < 20_000, "calls do not end");
                Step(i % Cpus);
            }

            // A few more calls give dead components time to be scrubbed.
            for (int i = 0; i < 6; i++)
            {
                _threads[0].Nonce = ++_nonce;
                Begin(0, _threads[0]);
                while (!_threads[0].IsIdle)
                {
                    Step(0);
                }
            }

            Assert.Equal(Begun, Ended);
            Assert.Equal(0ul, _sk.State.Counters[(int)SkCounter.DowncallsInUse]);
            Assert.Equal((uint)Limits.Downcalls, _sk.FreeDowncallCount());
            Assert.False(_sk.State.IsPending(PendingWork.Scrub));
            for (int i = 0; i < Sk.Count; i++)
            {
                ref Component component = ref _sk.At(i);

                // Whoever works for a world that is gone, or on a message that wants no answer, stands where it is until somebody needs it.
                ulong head = _sk.EndpointOf(i).Head;
                Assert.True(head == 0 || ((_isReset || _sent) && EndpointQueue<FakeMachine>.IsThread(head)));
                if (component.Life == ComponentState.Dead)
                {
                    Assert.Equal(0ul, component.Memory.UsedFrames);
                    Assert.True(
                        FakeMachine.Machine.Memory.AsSpan((int)(component.Memory.Base - FakeMachine.MemoryBase), (int)component.Memory.Bytes).IndexOfAnyExcept((byte)0) < 0);
                }
            }
        }

        private void FromLinux(int cpu)
        {
            LinuxThread[] away = [.. _threads.Where(thread => thread.Token != 0)];
            int choice = _calm ? 1 : _random.Next(40);
            if (choice == 0)
            {
                Reset(cpu);
                return;
            }

            if (choice is 2 or 3)
            {
                // Forged: another turn, another index, or nothing at all.
                ulong token = choice == 2 ? 0 : away.Length == 0 ? 77 : away[_random.Next(away.Length)].Token ^ (1ul << _random.Next(33));
                if (_threads.All(thread => thread.Token != token || token == 0))
                {
                    _sk.Enter(cpu, Tee.ReturnFromRpc, 1, 2, token);
                    Assert.Equal(Tee.ReturnResume, _sk.Answer(cpu).X0);
                }

                return;
            }

            if (away.Length != 0 && (choice % 2 == 1 || _calm))
            {
                LinuxThread back = away[_random.Next(away.Length)];
                ulong token = back.Token;
                (back.Token, back.Cpu) = (0, cpu);
                _sk.Enter(cpu, Tee.ReturnFromRpc, 5, 6, token);
                Assert.True(_sk.Steps[cpu] != SecureKernel.Step.Leave || _sk.State.Cpus[cpu].X0 != Tee.ReturnResume, "a good token is refused");
                return;
            }

            LinuxThread? idle = _threads.FirstOrDefault(thread => thread.IsIdle);
            if (idle != null && !_calm)
            {
                Begin(cpu, idle);
            }
        }

        private void Begin(int cpu, LinuxThread thread)
        {
            (thread.Nonce, thread.Cpu, thread.CrossedReset) = (++_nonce, cpu, false);
            Begun++;
            _sk.Enter(cpu, Tee.CallWithRegdArg, thread.Nonce);
        }

        private void Reset(int cpu)
        {
            _isReset = true;
            foreach (LinuxThread thread in _threads)
            {
                if (thread.Token != 0)
                {
                    thread.Token = 0;
                    Ended++;
                }

                thread.CrossedReset = true;
            }

            Downcalls<FakeMachine>.Reset(ref _sk.State);
            if (_sk.On(Sk.Proxy).Context.X[0] == UserLayout.StartInfo)
            {
                _programs[Sk.Proxy].Last = SecureCall.None;
            }

            LinuxThread? idle = _threads.FirstOrDefault(thread => thread.IsIdle);
            if (idle != null)
            {
                Begin(cpu, idle);
            }
        }

        private void ToLinux(int cpu)
        {
            LinuxThread? thread = _threads.FirstOrDefault(t => t.Cpu == cpu);
            if (thread == null)
            {
                return;
            }

            Cpu left = _sk.State.Cpus[cpu];
            thread.Cpu = -1;
            if (left.X0 is Tee.RpcForeignInterrupt or Tee.RpcCommand)
            {
                Assert.True(left.X3 != 0 && _threads.All(t => t.Token != left.X3));
                thread.Token = left.X3;
                return;
            }

            Ended++;
            if (left.X0 == Tee.ReturnOk)
            {
                Assert.Equal(thread.Nonce, left.X1);
            }
            else
            {
                Assert.True(thread.CrossedReset && left.X0 == Tee.ReturnBadCommand, $"{left.X0:x}");
            }
        }

        private void Run(int cpu)
        {
            int index = _sk.OnCpu(cpu).Component;
            Program program = _programs[index];
            if (!_calm && _random.Next(6) == 0)
            {
                _sk.Interrupt(cpu);
                return;
            }

            if (index == Sk.Proxy)
            {
                RunProxy(cpu, program);
            }
            else
            {
                RunService(cpu, index, program);
            }
        }

        private void RunProxy(int cpu, Program program)
        {
            MessageHeader message = _sk.Message(Sk.Proxy);
            if (program.Last == SecureCall.None)
            {
                Make(cpu, program, SecureCall.Receive);
                return;
            }

            if (_sk.Result(Sk.Proxy) != Status.Ok)
            {
                switch (program.Last)
                {
                    case SecureCall.ShareUnmap:
                        Assert.Equal(Status.Busy, _sk.Result(Sk.Proxy));
                        Finish(cpu, program, _sk.Message(Sk.Proxy).Downcall);
                        return;
                    case SecureCall.ForwardReceive when _refusal != Status.Ok && _sk.Result(Sk.Proxy) == _refusal:
                        Finish(cpu, program, _sk.Message(Sk.Proxy).Downcall);
                        return;
                    case SecureCall.ForwardReceive:
                        bool orphaned = _sk.On(Sk.Proxy).Serving.Kind == ServingKind.Orphan;
                        Assert.True(_sk.Result(Sk.Proxy) == Status.PeerDied || (orphaned && _sk.Result(Sk.Proxy) == Status.BadState));
                        Finish(cpu, program, _sk.Message(Sk.Proxy).Downcall);
                        return;
                    case SecureCall.Suspend:
                        Reply(cpu, program);
                        return;
                    default:
                        // The downcall is gone with the world that made it.
                        Assert.Equal((SecureCall.FinishReceive, Status.NotFound), (program.Last, _sk.Result(Sk.Proxy)));
                        Make(cpu, program, SecureCall.Receive);
                        return;
                }
            }

            if (program.Last == SecureCall.ShareUnmap)
            {
                Finish(cpu, program, message.Downcall);
                return;
            }

            if (program.Last == SecureCall.Suspend)
            {
                Make(cpu, program, SecureCall.Receive);
                return;
            }

            switch (message.Label)
            {
                case MessageLabel.Downcall:
                    _nonces[message.Downcall] = message.Word1;
                    if (_random.Next(5) == 0)
                    {
                        Finish(cpu, program, message.Downcall);
                        return;
                    }

                    _sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
                    _sk.Message(Sk.Proxy).Length = (uint)_random.Next(64);
                    uint to = Sk.HelloSlot + (uint)_random.Next(3);
                    Make(cpu, program, SecureCall.ForwardReceive, to, 0, 0, Lend(message.Downcall, to) ? 1ul : 0);
                    return;
                case MessageLabel.Completion:
                    if (_random.Next(4) == 0)
                    {
                        TakeBack(cpu, program);
                        return;
                    }

                    Finish(cpu, program, message.Downcall);
                    return;
                case MessageLabel.Upcall:
                    if (_random.Next(5) == 0)
                    {
                        Reply(cpu, program);
                        return;
                    }

                    Make(cpu, program, SecureCall.Suspend, message.Downcall, Tee.RpcCommand);
                    return;
                case MessageLabel.WorldReset:
                    _nonces.Clear();
                    Make(cpu, program, SecureCall.Receive);
                    return;
                default:
                    Reply(cpu, program);
                    return;
            }
        }

        /// <summary>Writes words into the message that lend something, nothing, or what cannot be lent. Answers whether the call shall look at them.</summary>
        private bool Lend(ulong downcall, uint to)
        {
            _refusal = Status.Ok;
            LentRange[] ranges = [.. Enumerable.Range(0, 4).Select(_ => _random.Next(3) == 0 ? AnyRange() : default)];
            Span<ulong> words = MemoryMarshal.CreateSpan(ref _sk.Message(Sk.Proxy).Word0, 4);
            for (int i = 0; i < ranges.Length; i++)
            {
                words[i] = ranges[i].IsNone ? (ulong)_random.Next() & ~1ul : ranges[i].Value;
            }

            if (_random.Next(3) == 0)
            {
                return false;
            }

            List<LentRange> sent = [.. ranges.Where(range => !range.IsNone)];
            _refusal = !sent.All(IsSound) ? Status.BadAddress : sent.Count == 0 ? Status.BadArgument : to == Sk.SignerSlot ? Status.Denied : Status.Ok;
            if (_refusal == Status.Ok)
            {
                _lent[downcall] = ranges;
            }

            return true;
        }

        /// <summary>A page of the window goes, unless some call has it with it, and comes again.</summary>
        private void TakeBack(int cpu, Program program)
        {
            ulong offset = (ulong)_random.Next((int)WindowPages) * Limits.PageBytes;
            bool busy = Lending().Any(range => range.Address <= Window + offset && Window + offset < range.Address + (range.Pages * Limits.PageBytes));
            Make(cpu, program, SecureCall.ShareUnmap, Window + offset, 1);
            Assert.Equal(busy ? Status.Busy : Status.Ok, _sk.Result(Sk.Proxy));
            if (!busy)
            {
                _sk.Share(Window + offset, FakeMachine.LinuxBase + 0x10_0000 + offset, 1);
            }
        }

        private static bool IsSound(LentRange range) =>
            range.IsNone || (range.Address >= Window && range.Address + (range.Pages * Limits.PageBytes) <= Window + (WindowPages * Limits.PageBytes));

        private LentRange AnyRange() => _random.Next(24) switch
        {
            0 => LentRange.Create(Window - Limits.PageBytes, 1, true),
            1 => LentRange.Create(Window + ((WindowPages - 1) * Limits.PageBytes), 2, false),
            2 => LentRange.Create(UserLayout.IpcPage, 1, true),
            _ => LentRange.Create(Window + ((ulong)_random.Next(6) * Limits.PageBytes), (uint)_random.Next(1, 3), _random.Next(2) == 0),
        };

        private IEnumerable<LentRange> Lending() =>
            _lent.Where(pair => Downcalls<FakeMachine>.Find(ref _sk.State, pair.Key) is >= 0 and int index && _sk.State.Downcalls[index].LentPages != 0).SelectMany(pair => pair.Value).Where(range => !range.IsNone);

        private void Finish(int cpu, Program program, ulong downcall)
        {
            bool known = _nonces.Remove(downcall, out ulong nonce);
            Make(cpu, program, SecureCall.FinishReceive, downcall, known ? Tee.ReturnOk : Tee.ReturnBadCommand, nonce);
        }

        private void RunService(int cpu, int index, Program program)
        {
            if (program.Last == SecureCall.None)
            {
                Make(cpu, program, SecureCall.Receive);
                return;
            }

            if (program.Last is SecureCall.Receive or SecureCall.ReplyReceive)
            {
                Assert.Equal(Status.Ok, _sk.Result(index));
                program.Calls = 0;
            }

            int choice = index == Sk.Entropy || _calm || program.Calls++ > 4 ? 99 : _random.Next(60);
            _sk.Message(index).Length = (uint)_random.Next(64);
            switch (choice)
            {
                case < 8:
                    Make(cpu, program, SecureCall.Call, 2);
                    return;
                case < 16 when index != Sk.Entropy:
                    Make(cpu, program, _random.Next(4) == 0 ? SecureCall.TryCall : SecureCall.Call, Sk.PeerSlot);
                    return;
                case < 30:
                    _sk.Message(index).Label = MessageLabel.Upcall;
                    Make(cpu, program, SecureCall.Call, ComponentEntry.UpcallSlot);
                    return;
                case < 33:
                    Make(cpu, program, SecureCall.Yield);
                    return;
                case > 34 and < 40 when index != Sk.Entropy:
                    _sent = true;
                    Make(cpu, program, SecureCall.Send, _random.Next(2) == 0 ? 2 : Sk.PeerSlot);
                    return;
                case 33 when _random.Next(3) == 0:
                    _sk.Fault(cpu, 0x24);
                    return;
                case 34 when _random.Next(6) == 0:
                    Make(cpu, program, SecureCall.Exit);
                    return;
                default:
                    Reply(cpu, program);
                    return;
            }
        }

        private void Reply(int cpu, Program program)
        {
            ref MessageHeader message = ref _sk.Message(_sk.OnCpu(cpu).Component);
            message.Label = MessageLabel.Reply;
            message.Length = 8;
            Make(cpu, program, SecureCall.ReplyReceive);
        }

        private void Make(int cpu, Program program, SecureCall call, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0)
        {
            program.Last = call;
            _sk.Call(cpu, call, x0, x1, x2, x3);
        }

        private void Check()
        {
            CheckCpus();
            CheckComponents();
            CheckDowncalls();
            CheckLent();
        }

        /// <summary>A thread sees what the call that it serves lends, with the rights of that, and nothing else; the message says where.</summary>
        private void CheckLent()
        {
            foreach (int i in (int[])[Sk.Hello, Sk.Kit])
            {
                if (_sk.At(i).Space.Root == 0 || _sk.On(i).LentTable == 0)
                {
                    continue;
                }

                ref Thread server = ref _sk.On(i);
                ulong downcall = server.Serving.Kind == ServingKind.Downcall ? _sk.State.Downcalls[(int)server.Serving.Whom].Id((int)server.Serving.Whom) : 0;
                LentRange[] ranges = _lent.GetValueOrDefault(downcall) ?? new LentRange[4];
                ulong at = UserLayout.LentWindowOf(0);
                foreach (LentRange range in ranges.Where(range => !range.IsNone))
                {
                    for (uint page = 0; page < range.Pages; page++, at += Limits.PageBytes)
                    {
                        PageEntry entry = _sk.At(i).Space.Lookup<FakeMachine>(at);
                        ulong frame = FakeMachine.LinuxBase + 0x10_0000 + (range.Address - Window) + (page * Limits.PageBytes);
                        Assert.Equal((frame, PageSource.Shared, range.IsWritable, false), (entry.Frame, entry.Source, entry.IsWritable, entry.IsExecutable));
                    }
                }

                for (; at < UserLayout.LentWindowOf(0) + (16 * Limits.PageBytes); at += Limits.PageBytes)
                {
                    Assert.True(_sk.At(i).Space.Lookup<FakeMachine>(at).IsHole);
                }
            }

            for (int i = 0; i < Limits.Downcalls; i++)
            {
                Assert.Equal(_sk.State.Downcalls[i].LentPages != 0, (_sk.State.Lending[i / 64] & (1ul << (i % 64))) != 0);
                Assert.True(_sk.State.Downcalls[i].Phase != DowncallPhase.Free || _sk.State.Downcalls[i].LentPages == 0);
            }
        }

        private void CheckCpus()
        {
            int[] running = [.. Enumerable.Range(0, Cpus).Where(cpu => _sk.Steps[cpu] == SecureKernel.Step.Run).Select(cpu => _sk.OnCpu(cpu).Component)];
            Assert.Equal(running.Length, running.Distinct().Count());
            for (int i = 0; i < Sk.Count; i++)
            {
                Assert.Equal(running.Contains(i), _sk.On(i).State == ThreadState.Running);
            }

            int[] carried = [.. Enumerable.Range(0, Cpus).Select(cpu => _sk.State.Cpus[cpu].Downcall).Where(downcall => downcall != 0)];
            Assert.Equal(carried.Length, carried.Distinct().Count());
            Assert.All(carried, downcall => Assert.True(_sk.State.Downcalls[downcall - 1].Phase != DowncallPhase.Free && !_sk.State.Downcalls[downcall - 1].Away));
            Assert.All(Enumerable.Range(0, Cpus), cpu => Assert.Equal(_threads.Any(t => t.Cpu == cpu), _sk.State.Cpus[cpu].Downcall != 0));
        }

        private void CheckComponents()
        {
            HashSet<ulong> queuedThreads = [];
            for (int i = 0; i < Sk.Count; i++)
            {
                ref Component component = ref _sk.At(i);
                ref Thread server = ref _sk.On(i);
                ref Endpoint endpoint = ref _sk.EndpointOf(i);
                for (ulong node = endpoint.Head; node != 0;)
                {
                    if (EndpointQueue<FakeMachine>.IsThread(node))
                    {
                        ref Thread waiter = ref FakeMachine.At<Thread>(node);
                        Assert.True(queuedThreads.Add(node));
                        Assert.Equal((ThreadState.Queued, component.Endpoint), (waiter.State, waiter.Target));
                        node = waiter.Next;
                    }
                    else
                    {
                        ref Downcall call = ref _sk.State.Downcalls[EndpointQueue<FakeMachine>.DowncallOf(node)];
                        Assert.Equal((DowncallPhase.Queued, component.Endpoint), (call.Phase, call.At));
                        node = call.Next;
                    }
                }

                Assert.True(endpoint.Receivers == 0 || endpoint.Head == 0);
                Assert.Equal(endpoint.Receivers == server.Address, server.State == ThreadState.Receiving);
                Assert.True(server.State != ThreadState.Receiving || server.Serving.Kind is ServingKind.Nobody);
                Assert.True(component.Life != ComponentState.Dead
                    || ((endpoint.Head == 0 || component.Scrubbing) && server.Serving.Kind == ServingKind.Nobody && server.State == ThreadState.Inactive));
                if (server.Serving.Kind == ServingKind.Thread)
                {
                    ref Thread served = ref FakeMachine.At<Thread>(server.Serving.Whom);
                    Assert.True(served.State == ThreadState.Upcalling || (served.State, served.Target) == (ThreadState.Served, server.Address));
                }
                else if (server.Serving.Kind == ServingKind.Downcall)
                {
                    ref Downcall call = ref _sk.State.Downcalls[(int)server.Serving.Whom];
                    bool upcall = call.Phase is DowncallPhase.Leaving or DowncallPhase.Upcall || call.Message == DowncallMessage.UpcallReturn;
                    Assert.True(upcall ? call.Holder == server.Address : call.Phase == DowncallPhase.Held && call.At == server.Address);
                }
            }

            // Who waits stands in a queue, is served, or has an upcall under way.
            for (int i = 0; i < Sk.Count; i++)
            {
                ref Thread waiter = ref _sk.On(i);
                Assert.Equal(waiter.State == ThreadState.Queued, queuedThreads.Contains(waiter.Address));
                Assert.Equal(waiter.State == ThreadState.Upcalling, waiter.Upcall != 0);
                if (waiter.State == ThreadState.Served)
                {
                    ref Thread server = ref FakeMachine.At<Thread>(waiter.Target);
                    Assert.Equal((ServingKind.Thread, waiter.Address), (server.Serving.Kind, server.Serving.Whom));
                }
                else if (waiter.State == ThreadState.Upcalling)
                {
                    ref Downcall call = ref _sk.State.Downcalls[waiter.Upcall - 1];
                    Assert.Equal(waiter.Address, call.Upcaller);
                    Assert.True(call.Phase is DowncallPhase.Leaving or DowncallPhase.Upcall || call.Message == DowncallMessage.UpcallReturn);
                }
            }
        }

        private void CheckDowncalls()
        {
            int inside = _threads.Count(thread => !thread.IsIdle);
            int used = 0;
            for (int i = 0; i < Limits.Downcalls; i++)
            {
                ref Downcall call = ref _sk.State.Downcalls[i];
                if (call.Phase == DowncallPhase.Free)
                {
                    Assert.True(!call.Away && call.Token == 0);
                    continue;
                }

                used++;
                ulong token = call.Token;
                Assert.Equal(call.Away, token != 0);
                Assert.Equal(call.Away, _threads.Any(thread => thread.Token == token && token != 0));
                if (call.Phase == DowncallPhase.Held)
                {
                    Duty duty = FakeMachine.At<Thread>(call.At).Serving;
                    Assert.True(duty.Kind is ServingKind.Downcall or ServingKind.UpcallReturn && duty.Whom == (ulong)i);
                }
            }

            Assert.Equal(inside, used);
            Assert.Equal((ulong)used, _sk.State.Counters[(int)SkCounter.DowncallsInUse]);
        }
    }

    /// <summary>Work that nobody does: calls take the slow path.</summary>
    private const PendingWork Unassigned = (PendingWork)0x8000_0000;

    /// <summary>The same walk on both paths: SK's memory is the same after every step.</summary>
    [Fact]
    public void TheFastPathDoesWhatTheSlowOneDoes()
    {
        int fast = 0;
        int steps = 0;
        Gen.Select(Gen.Int, Gen.Int[0, Cpus - 1].Array[50, 200]).Sample(
            (seed, order) =>
            {
                Machine quick = new(seed, looks: false);
                List<long> expected = [];
                foreach (int cpu in order)
                {
                    int before = FakeMachine.Machine.Looks;
                    quick.Step(cpu);
                    expected.Add(quick.Fingerprint());
                    System.Threading.Interlocked.Add(ref fast, FakeMachine.Machine.Looks == before ? 1 : 0);
                    System.Threading.Interlocked.Increment(ref steps);
                }

                Machine slow = new(seed, looks: false);
                for (int i = 0; i < order.Length; i++)
                {
                    slow.Sk.State.Pending |= Unassigned;
                    slow.Step(order[i]);
                    Assert.True(expected[i] == slow.Fingerprint(), $"step {i}");
                }
            },
            iter: 40);
        Assert.True(fast > steps / 8, $"{fast} of {steps}");
    }

    [Fact]
    public void NoCallIsLostAndNoThreadRunsTwice()
    {
        int begun = 0;
        ulong helped = 0;
        ulong faults = 0;
        Gen.Select(Gen.Int, Gen.Int[0, Cpus - 1].Array[50, 600]).Sample(
            (seed, order) =>
            {
                Machine machine = new(seed);
                foreach (int cpu in order)
                {
                    machine.Step(cpu);
                }

                machine.Drain();
                System.Threading.Interlocked.Add(ref begun, machine.Begun);
                System.Threading.Interlocked.Add(ref helped, machine.Sk.State.Counters[(int)SkCounter.Helped]);
                System.Threading.Interlocked.Add(ref faults, machine.Sk.State.Counters[(int)SkCounter.Faults]);
            },
            iter: 400);

        // The walk goes where it should.
        Assert.True(begun > 400 && helped > 400 && faults > 20, $"{begun} calls, {helped} helped, {faults} faults");
    }
}
