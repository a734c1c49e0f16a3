using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>Fills every register on one side of the gate and looks for it on the other; debug and counters over the secure world.</summary>
internal sealed class RegisterAttacks
{
    /// <summary>
    /// What Linux fills its registers with, in two crossings: bits 47:0 of the second are those of the first inverted. Neither ends in 000: QEMU 7.2
    /// stops when ICC_BPR1_EL1 gets that.
    /// </summary>
    private const ulong LinuxSeed = 0x5A5A_3C3C_9692;
    private const ulong OtherLinuxSeed = LinuxSeed ^ 0xFFFF_FFFF_FFFF;
    private const ulong KernelSeed = 0x0F0F_AAAA_6666;
    private const ulong OtherKernelSeed = KernelSeed ^ 0xFFFF_FFFF_FFFF;

    /// <summary>Hold: fill registers before leaving; answer as an interrupted call does; end the secure world instead.</summary>
    private const ulong Fill = 1;
    private const ulong Interrupted = 2;
    private const ulong BreakRule = 4;

    private const ulong ClassSupervisorCall = 0x15;
    private const ulong ClassBreakpoint = 0x30;
    private const ulong ClassStep = 0x32;
    private const ulong ClassWatchpoint = 0x34;

    /// <summary>MDSCR_EL1: SS, KDE, MDE. DBGBCR0_EL1: EL0 and EL1, all four bytes. DBGWCR0_EL1: EL0 and EL1, loads and stores, eight bytes.</summary>
    private const ulong SingleStep = 1;
    private const ulong DebugOn = (1ul << 15) | (1ul << 13);
    private const ulong BreakpointOn = 0x1E7;
    private const ulong WatchpointOn = 0x1FFF;

    /// <summary>Rounds of a loop: some 20 ms here.</summary>
    private const ulong Work = 4_000_000;

    private const ulong LongSpin = 30_000_000;

    /// <summary>Bits of the cycle counter and of counter 0.</summary>
    private const ulong CountersOn = (1ul << 31) | 1;

    /// <summary>PSTATE.A, I, F: the tick shall not come before the step.</summary>
    private const ulong InterruptsMasked = 0x1C0;

    /// <summary>Of every interrupt, as Linux sets it; a mask lets pass what has a smaller number. CNTV_CTL_EL0.ISTATUS.</summary>
    private const ulong TickPriority = 0xA0;
    private const ulong PriorityStep = 8;
    private const ulong TimerDue = 4;

    /// <summary>What of the interrupt controller must not hold a pattern, or the tick could not interrupt the call.</summary>
    private static readonly (string Register, ulong Value)[] InterruptsOn =
        [("ICC_CTLR", 0), ("ICC_AP0R0", 0), ("ICC_AP1R0", 0), ("ICC_PMR", 0xF0), ("ICC_IGRPEN1", 1)];

    private readonly Trial _trial;
    private readonly RegisterDevice _device;

    private RegisterAttacks(Trial trial)
    {
        _trial = trial;
        _device = trial.Field.Registers;
    }

    private RogueKernel Kernel => _trial.Field.Kernel ?? throw new InvalidOperationException("this machine has the real SK");

    private Meter Entries => _trial.Field.Of(SptmCounter.Enter);

    private IReadOnlyList<RegisterName> Names => _device.Names;

    public static void AddTo(Suite suite)
    {
        suite.Add("register.system", trial => new RegisterAttacks(trial).Residue(RegisterName.FirstSystem, int.MaxValue));
        suite.Add("register.vector", trial => new RegisterAttacks(trial).Residue(RegisterName.FirstVector, RegisterName.FirstSystem));
        suite.Add("register.general", trial => new RegisterAttacks(trial).General());
        suite.Add("register.max", trial => new RegisterAttacks(trial).Everything());
        suite.Add("register.hidden", trial => new RegisterAttacks(trial).Hidden());
        suite.Add("register.interrupted", trial => new RegisterAttacks(trial).InterruptedCall());
        suite.Add("register.panic", trial => new RegisterAttacks(trial).Panic());
        suite.Add("debug.breakpoint", trial => new RegisterAttacks(trial).Breakpoint());
        suite.Add("debug.watchpoint", trial => new RegisterAttacks(trial).Watchpoint());
        suite.Add("debug.step", trial => new RegisterAttacks(trial).Step());
        suite.Add("pmu.count", trial => new RegisterAttacks(trial).Count());
        suite.Add("pmu.overflow", trial => new RegisterAttacks(trial).Overflow());
        suite.Add("interrupt.masked", trial => new RegisterAttacks(trial).MaskedCall());
    }

    private void Residue(int from, int to, ulong how = 0)
    {
        RogueKernel.StayOn(0);
        _trial.Try("Linux's registers in SK", Entries, () =>
        {
            List<string> leaks = Select(LeakCheck.Inward(Names, Cross(LinuxSeed, KernelSeed, how), Cross(OtherLinuxSeed, KernelSeed, how), out int visible), from, to);
            return leaks.Count != 0 ? Attempt.Succeeded(string.Join("; ", leaks))
                : visible == 0 ? Attempt.Neither("Linux could fill no register")
                : Attempt.Stopped($"none of {visible} that Linux filled");
        });
        _trial.Try("SK's registers in Linux", Entries, () =>
        {
            List<string> leaks = Select(LeakCheck.Outward(Names, Cross(LinuxSeed, KernelSeed, how)), from, to);
            leaks.AddRange(Select(LeakCheck.Outward(Names, Cross(OtherLinuxSeed, OtherKernelSeed, how)), from, to));
            return Attempt.Of(leaks.Count == 0, leaks.Count == 0 ? "each as Linux left it" : string.Join("; ", leaks));
        });
    }

    private void General()
    {
        Residue(0, RegisterName.FirstVector);
        Residue(0, RegisterName.FirstVector, Interrupted);
        _trial.Permit("x2", () =>
        {
            ulong[] inside = Cross(LinuxSeed, KernelSeed, 0).Inside;
            return Attempt.Of(inside[4] != KernelSeed, $"x4 of SK is 0x{inside[4]:x}");
        });
    }

    private void Everything()
    {
        Residue(0, int.MaxValue);
        _trial.Permit("SK's own registers", () =>
        {
            int own = LeakCheck.OwnRegisters(Names, Cross(LinuxSeed, KernelSeed, 0), Cross(LinuxSeed, OtherKernelSeed, 0));
            int filled = Names.Count(name => name.Class == RegisterClass.Switched && name.Name.StartsWith("AP", StringComparison.Ordinal)) + 64 + 25;
            return Attempt.Of(own < filled, $"{own} registers of SK follow what it left in them, of {filled}");
        });
    }

    /// <summary>What Linux has, and SK finds trapped, must be trapped for both directions and counted.</summary>
    private void Hidden()
    {
        RogueKernel.StayOn(0);
        Meter traps = _trial.Field.Of(SptmCounter.SecureTrap);
        Crossing crossing = Cross(LinuxSeed, KernelSeed, 0);
        int tried = 0;
        for (int i = RegisterName.FirstSystem; i < Names.Count; i++)
        {
            bool isOurs = Names[i].Class is RegisterClass.Hidden or RegisterClass.Counting;
            if (!isOurs || crossing.Before[i] == RegisterName.Trapped || crossing.Inside[i] != RegisterName.Trapped)
            {
                continue;
            }

            tried++;
            ulong number = (ulong)(i - RegisterName.FirstSystem);
            _trial.Try($"read {Names[i].Name}", traps, () => Exception(Kernel.Ask(RogueCommand.ReadRegister, number)));
            _trial.Try($"write {Names[i].Name}", traps, () => Exception(Kernel.Ask(RogueCommand.WriteRegister, number, 0)));
        }

        if (tried < 20)
        {
            _trial.Fail($"only {tried} registers of Linux are trapped for SK");
        }

        foreach ((string name, ulong instruction) in (ReadOnlySpan<(string, ulong)>)[("SVE", 20), ("SME", 21)])
        {
            _trial.Try(name, traps, () => Exception(Kernel.Ask(RogueCommand.Instruction, instruction)));
        }

        _trial.Permit("CONTEXTIDR_EL1", () =>
        {
            ulong number = _device.IndexOf("CONTEXTIDR_EL1");
            Kernel.Ask(RogueCommand.WriteRegister, number, 77);
            RogueAnswer answer = Kernel.Ask(RogueCommand.ReadRegister, number);
            return Attempt.Of(!answer.IsDone || answer.X1 != 77, answer.ToString());
        });
    }

    /// <summary>SK breaks a rule with all registers full, and Linux, whose own are full too, looks at all of its own.</summary>
    private void Panic()
    {
        RogueKernel.StayOn(0);
        _trial.Permit("SK's answer", () =>
        {
            ulong answer = Kernel.Ask(RogueCommand.Ping).X1;
            return Attempt.Of(answer != RogueKernel.Magic, $"x1 is 0x{answer:x}");
        });
        _trial.Try("the call that was inside", _trial.Field.Of(SptmCounter.SecureBreach), () =>
        {
            WorldCall call = _device.Call(RogueKernel.Words(RogueCommand.Hold, Fill | BreakRule, KernelSeed), LinuxSeed);
            _trial.Field.IsClosed = true;
            return Ended(call, 0);
        });
        _trial.Try("the next call", _trial.Field.Of(SptmCounter.RefusedCall), () =>
        {
            // What Linux takes for a token comes back, so that a call that is held can come again.
            WorldCall call = _device.Call(RogueKernel.Words(RogueCommand.Hold, Fill, KernelSeed), OtherLinuxSeed);
            return Ended(call, KernelSeed);
        });
    }

    /// <summary>The end in x0, nothing in x1 and x2, <paramref name="token"/> in x3, and every other register as Linux left it.</summary>
    private Attempt Ended(WorldCall call, ulong token)
    {
        string words = $"x0 to x3 = 0x{call.After[0]:x}, 0x{call.After[1]:x}, 0x{call.After[2]:x}, 0x{call.After[3]:x}";
        if (call.After[0] is not (Tee.ReturnEnded or Tee.RpcForeignInterrupt))
        {
            return Attempt.Neither(words);
        }

        List<string> leaks = LeakCheck.Outward(Names, new Crossing(Copy(call.Before), [], Copy(call.After)));
        bool isSilent = call.After[1] == 0 && call.After[2] == 0 && call.After[3] == token;
        return isSilent && leaks.Count == 0
            ? Attempt.Stopped($"{words}; {Names.Count - LeakCheck.Answers} registers as Linux left them")
            : Attempt.Succeeded(string.Join("; ", leaks.Prepend(words)));
    }

    private void Breakpoint() => Debug(ClassBreakpoint, RogueKernel.UserNop, 0,
        ("DBGBVR0_EL1", RogueKernel.UserCode(0, RogueKernel.UserNop)), ("DBGBCR0_EL1", BreakpointOn), ("MDSCR_EL1", DebugOn));

    private void Watchpoint()
    {
        ulong word = RogueKernel.UserCode(0, RogueKernel.UserNop);
        Debug(ClassWatchpoint, RogueKernel.UserLoad, word, ("DBGWVR0_EL1", word), ("DBGWCR0_EL1", WatchpointOn), ("MDSCR_EL1", DebugOn));
    }

    private void Step() => Debug(ClassStep, RogueKernel.UserNop, 0, ("MDSCR_EL1", DebugOn | SingleStep));

    /// <summary>Secure EL0 runs to its SVC, or into the exception that Linux set up.</summary>
    private void Debug(ulong sprung, ulong probe, ulong argument, params (string Register, ulong Value)[] writes)
    {
        RogueKernel.StayOn(0);
        Kernel.User(probe, argument, InterruptsMasked);
        _trial.Try("secure EL0", Entries, () =>
        {
            WorldCall call = _device.Call(RogueKernel.Words(RogueCommand.User, probe, InterruptsMasked), 0, 0, writes);
            ulong kind = (call.After[2] >> 26) & 0x3F;
            string words = $"x0 to x3 = 0x{call.After[0]:x}, 0x{call.After[1]:x}, 0x{call.After[2]:x}, 0x{call.After[3]:x}, exception class 0x{kind:x}";
            return call.After[0] != 0 || call.After[1] != 0 ? Attempt.Neither(words)
                : kind == sprung ? Attempt.Succeeded(words)
                : kind == ClassSupervisorCall ? Attempt.Stopped(words)
                : Attempt.Neither(words);
        });
    }

    /// <summary>The cycle counter over the same work, done inside and done by Linux.</summary>
    private void Count()
    {
        RogueKernel.StayOn(0);
        ulong outside = Cycles(RogueCommand.Ping, WorldCall.Spin);
        _trial.Try("cycles", Entries, () =>
        {
            ulong inside = Enumerable.Range(0, 3).Min(_ => Cycles(RogueCommand.Work, 0));
            string words = $"{inside} cycles for the work in SK, {outside} in Linux";
            return inside > outside / 2 ? Attempt.Succeeded(words) : Attempt.Stopped(words);
        });
        _trial.Permit("cycles of Linux", () => Attempt.Of(outside < Work / 100, $"{outside} cycles"));
    }

    private ulong Cycles(RogueCommand command, ulong flags)
    {
        int counter = RegisterName.FirstSystem + (int)_device.IndexOf("PMCCNTR_EL0");
        const ulong Enable = 0x41; // PMCR_EL0: LC, E.
        WorldCall call = _device.Call(
            RogueKernel.Words(command, Work), 0, flags, ("PMCCFILTR_EL0", 0ul), ("PMCNTENSET_EL0", 1ul << 31), ("PMCCNTR_EL0", 0ul), ("PMCR_EL0", Enable));
        return call.After[0] == 0 ? call.After[counter] - call.Before[counter] : throw new InvalidOperationException($"the call ended with 0x{call.After[0]:x}");
    }

    /// <summary>
    /// A cycle and an instruction counter that overflow soon. The clock counts instructions, so Linux's own share of a call is the same each time,
    /// whatever the machine below has to do.
    /// </summary>
    private void Overflow()
    {
        RogueKernel.StayOn(0);
        WorldCall own = Counted(RogueCommand.Ping, 0, 0);
        ulong share = ulong.Max(own.After[Word("PMCCNTR_EL0")], own.After[Word("PMEVCNTR0_EL0")]);
        ulong distance = share * 4;
        if (share == 0 || distance >= Work / 4)
        {
            _trial.Fail($"Linux's own share is {share} of {Work}");
            return;
        }

        _trial.Try("work in SK", Entries, () => Overflowed(Counted(RogueCommand.Work, 0, distance), share));
        _trial.Permit("work in Linux", () => Overflowed(Counted(RogueCommand.Ping, WorldCall.Spin, distance), share));
    }

    private Attempt Overflowed(WorldCall call, ulong share)
    {
        ulong flags = call.After[Word("PMOVSSET_EL0")] & CountersOn;
        string words = $"PMOVSSET_EL0 0x{flags:x}, Linux's share {share}, cycles 0x{call.After[Word("PMCCNTR_EL0")]:x}, instructions 0x{call.After[Word("PMEVCNTR0_EL0")]:x}";
        return call.After[0] != 0 ? Attempt.Neither($"the call ended with 0x{call.After[0]:x}")
            : flags == 0 ? Attempt.Stopped(words)
            : flags == CountersOn ? Attempt.Succeeded(words)
            : Attempt.Neither(words);
    }

    /// <param name="distance">So many events before they overflow; 0: they begin at 0.</param>
    private WorldCall Counted(RogueCommand command, ulong flags, ulong distance)
    {
        const ulong InstructionsRetired = 8;
        const ulong Enable = 0x41; // PMCR_EL0: LC, E.
        return _device.Call(
            RogueKernel.Words(command, Work),
            0,
            flags,
            ("PMCCFILTR_EL0", 0ul),
            ("PMEVTYPER0_EL0", InstructionsRetired),
            ("PMINTENSET_EL1", CountersOn),
            ("PMCNTENSET_EL0", CountersOn),
            ("PMCCNTR_EL0", 0 - distance),
            ("PMEVCNTR0_EL0", (uint)(0 - distance)),
            ("PMCR_EL0", Enable));
    }

    private int Word(string register) => RegisterName.FirstSystem + (int)_device.IndexOf(register);

    /// <summary>With the priority mask closed no interrupt reaches the CPU: the call must come to its own end at once, and Linux go on.</summary>
    private void MaskedCall()
    {
        RogueKernel.StayOn(0);
        using Session session = new(_trial.Field.Driver);
        RawDriver driver = _trial.Field.Driver;
        int timer = RegisterName.FirstSystem + (int)_device.IndexOf("CNTV_CTL_EL0");
        foreach (ulong mask in (ReadOnlySpan<ulong>)[0, TickPriority])
        {
            _trial.Try($"ICC_PMR_EL1 = 0x{mask:x}", EndedCalls(), () =>
            {
                ulong before = Entries.Read();
                WorldCall call = _device.Call(driver.SpinWords(session.Number, LongSpin), 0, 0, ("ICC_PMR", mask));
                ulong entries = Entries.Read() - before;
                string words = $"the tick was due; {entries} entry, x0 = 0x{call.After[0]:x}, its sum is right";
                return (call.After[timer] & TimerDue) == 0 ? Attempt.Neither("the tick was not due when the call came back")
                    : Attempt.Of(entries == 1 && RightSum(driver, call.After[0]).Loot, words);
            });
        }

        _trial.Permit("the least mask that the tick passes", () =>
        {
            ulong before = _trial.Field.Counters()[SkCounter.Interrupted];
            WorldCall call = _device.Call(driver.SpinWords(session.Number, LongSpin), 0, 0, ("ICC_PMR", TickPriority + PriorityStep));
            bool interrupted = call.After[0] == Tee.RpcForeignInterrupt && _trial.Field.Counters()[SkCounter.Interrupted] > before;
            CallResult end = driver.ToEnd(new CallResult(call.After[0], call.After[1], call.After[2], call.After[3]));
            return interrupted ? RightSum(driver, end.X0) : Attempt.Neither("no interrupt came");
        });
    }

    /// <summary>A call of Hello on the real SK, interrupted by the tick and resumed, every time with full registers.</summary>
    private void InterruptedCall()
    {
        RogueKernel.StayOn(0);
        using Session session = new(_trial.Field.Driver);
        RawDriver driver = _trial.Field.Driver;
        ulong seed = LinuxSeed;
        int interrupts = 0;
        List<string> leaks = [];
        ulong[] words = driver.SpinWords(session.Number, LongSpin);
        ulong end = Tee.RpcForeignInterrupt;
        _trial.Try("each way out", _trial.Field.Of(SkCounter.Interrupted), () =>
        {
            while (end == Tee.RpcForeignInterrupt)
            {
                Crossing crossing = Cross(words, seed);
                leaks.AddRange(LeakCheck.Outward(Names, crossing));
                end = crossing.After[0];
                interrupts += end == Tee.RpcForeignInterrupt ? 1 : 0;
                words = [Tee.ReturnFromRpc, crossing.After[1], crossing.After[2], crossing.After[3]];
                seed ^= 0xFFFF_FFFF_FFFF;
            }

            return interrupts == 0 ? Attempt.Neither("no interrupt came")
                : Attempt.Of(leaks.Count == 0, leaks.Count == 0 ? $"{interrupts} interrupts" : string.Join("; ", leaks.Take(8)));
        });
        _trial.Permit("the call", () => RightSum(driver, end));
    }

    /// <summary>Calls that came to their end in SK. A reading is such a call, and not counted.</summary>
    private Meter EndedCalls()
    {
        ulong readings = 0;
        return new("SK downcalls ended", () =>
        {
            SystemCounters counters = _trial.Field.Counters();
            return counters[SkCounter.DowncallsTotal] - counters[SkCounter.DowncallsInUse] - readings++;
        });
    }

    private static Attempt RightSum(RawDriver driver, ulong end) => Attempt.Of(
        end != Tee.ReturnOk || driver.SpinAnswer() != HelloTransform.Spin(LongSpin), $"x0 = 0x{end:x}");

    /// <summary>Fills SK's registers, then Linux's, and crosses.</summary>
    private Crossing Cross(ulong linuxSeed, ulong kernelSeed, ulong how)
    {
        // By the device, which gives Linux its own registers back whatever comes out: a monitor that does not switch them would end it here.
        _device.Call(RogueKernel.Words(RogueCommand.Hold, Fill, kernelSeed));
        WorldCall call = _device.Call(RogueKernel.Words(RogueCommand.Hold, Fill | how, kernelSeed), linuxSeed);
        ulong expected = (how & Interrupted) != 0 ? Tee.RpcForeignInterrupt : Tee.ReturnOk;
        return call.After[0] == expected
            ? new Crossing(Copy(call.Before), Kernel.Kept(Names.Count), Copy(call.After))
            : throw new InvalidOperationException($"the call came back with 0x{call.After[0]:x}");
    }

    private Crossing Cross(ulong[] words, ulong linuxSeed)
    {
        WorldCall call = _device.Call(words, linuxSeed, 0, InterruptsOn);
        return new Crossing(Copy(call.Before), [], Copy(call.After));
    }

    private ulong[] Copy(Snapshot snapshot) => ((ReadOnlySpan<ulong>)snapshot)[..Names.Count].ToArray();

    private List<string> Select(List<string> leaks, int from, int to)
    {
        HashSet<string> names = [.. Names.Skip(from).Take(to - from).Select(name => name.Name)];
        return [.. leaks.Where(leak => names.Contains(leak[..leak.IndexOf(':')]))];
    }

    private static Attempt Exception(RogueAnswer answer) => Attempt.Of(answer.IsException, answer.ToString());
}
