using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>The table of Linux calls. Calls that wait or that replace the context set x0 themselves and answer what is already there.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private void HandleCall()
    {
        Count(KitStatistic.SystemCalls);
        ulong number = _live.X[8];
        Current.CallArgument = _live.X[0];
        Current.CallNumber = number;
        if (number == (ulong)LinuxCall.RtSigReturn)
        {
            ReturnFromSignal();
            return;
        }

        ulong result = number >= PersonalityCall.Base ? DispatchOwn(number) : Dispatch((LinuxCall)number);

        // A caller that waits gets its result from whoever ends the wait.
        if (IsReady) { _live.X[0] = result; }
    }

    private ulong Dispatch(LinuxCall number)
    {
        ulong a = _live.X[0];
        ulong b = _live.X[1];
        ulong c = _live.X[2];
        ulong d = _live.X[3];
        switch (number)
        {
            // Memory.
            case LinuxCall.Mmap: return MapPages(a, b, c, d, _live.X[4]);
            case LinuxCall.Munmap: return UnmapPages(a, b);
            case LinuxCall.Mprotect: return ProtectPages(a, b, c);
            case LinuxCall.Madvise: return AdvisePages(a, b, c);
            case LinuxCall.Brk: return SetBreak(a);
            case LinuxCall.Mlock or LinuxCall.Munlock: return Result.Ok; // Nothing is ever paged out.

            // Threads and time.
            case LinuxCall.Futex: return Futex(a, b, c, d, _live.X[4], (uint)_live.X[5]);
            case LinuxCall.Clone: return Clone(a, b, c, d, _live.X[4]);
            case LinuxCall.Exit: return ExitThread();
            case LinuxCall.ExitGroup: return ExitProcess(a);
            case LinuxCall.SchedYield: return YieldTurn();
            case LinuxCall.ClockGetTime: return GetTime(a, b);
            case LinuxCall.ClockGetRes: return GetResolution(a, b);
            case LinuxCall.Nanosleep: return Sleep((ulong)ClockId.Monotonic, 0, a, b);
            case LinuxCall.ClockNanosleep: return Sleep(a, b, c, d);
            case LinuxCall.GetPid: return KitState.ProcessId;
            case LinuxCall.GetTid: return Current.Tid;
            case LinuxCall.SetTidAddress: return SetTidAddress(a);
            case LinuxCall.SchedGetAffinity: return GetAffinity(b, c);
            case LinuxCall.GetCpu: return a == 0 ? Result.Ok : Answer(a, (uint)_thread % _state.CpuCount);
            case LinuxCall.Membarrier: return Membarrier(a);

            // Signals.
            case LinuxCall.RtSigAction: return SetAction(a, b, c, d);
            case LinuxCall.RtSigProcMask: return SetMask(a, b, c, d);
            case LinuxCall.SigAltStack: return SetAlternateStack(a, b);
            case LinuxCall.Tgkill: return a != KitState.ProcessId ? Result.Of(Errno.NoProcess) : SendSignal(b, c, Signal.CodeTkill);
            case LinuxCall.Tkill: return SendSignal(a, b, Signal.CodeTkill);
            case LinuxCall.Kill: return a != KitState.ProcessId ? Result.Of(Errno.NoProcess) : SendSignal(KitState.ProcessId, b, Signal.CodeUser);

            // Descriptors.
            case LinuxCall.Write: return WriteFile(a, b, c);
            case LinuxCall.Writev: return WriteVector(a, b, c);
            case LinuxCall.Read: return ReadFile(a, b, c);
            case LinuxCall.Openat: return OpenFile(b, c);
            case LinuxCall.Close: return CloseFile(a);
            case LinuxCall.Pipe2: return MakePipe(a, b);
            case LinuxCall.NewFstatat: return b != 0 && TryRead(b, out byte first) && first != 0 ? MissFile(b, "stat"u8) : StatFile(a, c);
            case LinuxCall.Dup: return DuplicateFile(a, 0);
            case LinuxCall.Fstat: return StatFile(a, b);
            case LinuxCall.Fcntl: return ControlFile(a, b, c);
            case LinuxCall.Ioctl: return Result.Of(IsOpen(a) ? Errno.NotTerminal : Errno.BadFile);
            case LinuxCall.Lseek: return Result.Of(IsOpen(a) ? Errno.IllegalSeek : Errno.BadFile);
            case LinuxCall.Faccessat or LinuxCall.Faccessat2: return MissFile(b, "access"u8);
            case LinuxCall.Readlinkat or LinuxCall.StatFs or LinuxCall.GetCwd:
                return Result.Of(Errno.NoEntry);

            // The rest of the world.
            case LinuxCall.GetRandom: return FillRandom(a, b);
            case LinuxCall.SysInfo: return DescribeSystem(a);
            case LinuxCall.Uname: return DescribeName(a);
            case LinuxCall.Prlimit64: return GetLimit(b, d);
            case LinuxCall.Prctl: return a == SetNameOption ? Result.Ok : Result.Of(Errno.InvalidArgument);
            case LinuxCall.GetUid or LinuxCall.GetEuid or LinuxCall.GetGid or LinuxCall.GetEgid or LinuxCall.GetPpid: return 0;

            // Refused on purpose: the C library and the runtime know how to do without, and are told so honestly.
            case LinuxCall.Clone3 or LinuxCall.Rseq or LinuxCall.SetRobustList or LinuxCall.GetRobustList or LinuxCall.Mremap
                or LinuxCall.GetMemPolicy or LinuxCall.Ppoll or LinuxCall.GetRusage:
                return Result.Of(Errno.NoSystemCall);
            default: return TryRefuseAbsent(number, out ulong refused) ? refused : RefuseUnknown((ulong)number);
        }
    }

    private ulong DispatchOwn(ulong number)
    {
        ulong a = _live.X[0];
        ulong b = _live.X[1];
        return number switch
        {
            PersonalityCall.Messages => TryWrite(a, _machine.CallEntry) && TryWrite(a + sizeof(ulong), _machine.MessagePageAddress(_thread)) ? Result.Ok : Result.Of(Errno.BadAddress),
            PersonalityCall.Call => CallEndpoint(a, b, _live.X[2]),
            PersonalityCall.Statistics => GetStatistics(a, b),
            PersonalityCall.Log => WriteRecord(a, b, _live.X[2]),
            _ => RefuseUnknown(number),
        };
    }

    /// <summary>"No such call", and a line of log the first time a number comes by.</summary>
    private ulong RefuseUnknown(ulong number)
    {
        int word = (int)(number >> 6) & 7;
        ulong bit = 1UL << (int)(number & 63);
        if ((_state.Reported[word] & bit) == 0)
        {
            _state.Reported[word] |= bit;
            _state.Notice.Write("exclavekit: unknown call "u8, in this);
            _state.Notice.WriteDecimal(number, in this);
            _state.Notice.Flush(in this);
        }

        return Result.Of(Errno.NoSystemCall);
    }
}
