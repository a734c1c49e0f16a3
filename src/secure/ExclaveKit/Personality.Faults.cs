using System;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>Faults: most are pages that wait for their first touch; the rest are the program's, and become its signals.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const int ClassShift = 26;
    private const ulong ClassMask = 0x3F;
    private const ulong WriteBit = 1 << 6;

    /// <summary>Set with a write bit for cache maintenance, which needs no right to write.</summary>
    private const ulong CacheMaintenanceBit = 1 << 8;
    private const ulong FaultCodeMask = 0x3F;
    private const ulong FaultAlignment = 0x21;

    /// <summary>Without the level of the table.</summary>
    private const ulong FaultKindMask = 0x3C;
    private const ulong FaultTranslation = 0x04;
    private const ulong FaultPermission = 0x0C;

    private enum ExceptionClass : ulong
    {
        InstructionAbort = 0x20,
        ProgramCounterAlignment = 0x22,
        DataAbort = 0x24,
        StackAlignment = 0x26,
        FloatingPoint = 0x2C,
        Breakpoint = 0x3C,
    }

    private void HandleFault()
    {
        ulong syndrome = _live.Syndrome;
        ulong address = _live.FaultAddress;
        bool isFetch = ClassOf(syndrome) == ExceptionClass.InstructionAbort;
        bool isWrite = !isFetch && (syndrome & WriteBit) != 0 && (syndrome & CacheMaintenanceBit) == 0;
        if ((syndrome & FaultCodeMask) == FaultAlignment)
        {
            ForceSignal(new SignalCause { Signal = Signal.Bus, Code = Signal.CodeNotMapped, Address = address, Syndrome = syndrome });
            return;
        }

        // A page that is there already has come by a sibling's fault or call since.
        bool isOfTables = (syndrome & FaultKindMask) is FaultTranslation or FaultPermission;
        if (!isFetch && isOfTables && TryBack(Page.Down(address), isWrite ? MemoryAccess.Write : MemoryAccess.Read, mayWait: true)) { return; }

        bool isMapped = _state.Regions.TryFind(address, out _) || _state.Image.TryFind(address, out _);
        int code = isMapped ? Signal.CodeNoAccess : Signal.CodeNotMapped;
        ForceSignal(new SignalCause { Signal = Signal.Segmentation, Code = code, Address = address, Syndrome = syndrome });
    }

    private void HandleException()
    {
        ulong syndrome = _live.Syndrome;
        uint signal = ClassOf(syndrome) switch
        {
            ExceptionClass.ProgramCounterAlignment or ExceptionClass.StackAlignment => Signal.Bus,
            ExceptionClass.FloatingPoint => Signal.FloatingPoint,
            ExceptionClass.Breakpoint => Signal.Trap,
            _ => Signal.Illegal,
        };
        ForceSignal(new SignalCause { Signal = signal, Code = 1, Address = _live.ProgramCounter, Syndrome = syndrome });
    }

    private static ExceptionClass ClassOf(ulong syndrome) => (ExceptionClass)((syndrome >> ClassShift) & ClassMask);

    /// <summary>The program has no handler. SK reports where it stood; Linux reads our lines, so its registers are not among them.</summary>
    private void EndBySignal(in SignalCause cause, ulong code = 0)
    {
        FlushLines();
        _state.Notice.Write("exclavekit: ended by signal "u8, in this);
        _state.Notice.WriteDecimal(cause.Signal, in this);
        _state.Notice.Write(" of thread "u8, in this);
        _state.Notice.WriteDecimal(Current.Tid, in this);
        _state.Notice.Flush(in this);
        bool gaveUp = cause.Signal == Signal.Abort && _state.QuotaRefused;
        _machine.Exit(code != 0 ? code : gaveUp ? ExitCode.QuotaExhausted : ExitCode.Signal + cause.Signal, ref _live);
    }
}
