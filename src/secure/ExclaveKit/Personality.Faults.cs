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

        ulong page = Page.Down(address);
        if (!isFetch && !_state.Resident.Contains(Page.Number(page)) && TryBack(page, isWrite ? MemoryAccess.Write : MemoryAccess.Read)) { return; }

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

    /// <summary>The program has no handler: its last words are ours.</summary>
    private void EndBySignal(in SignalCause cause)
    {
        _state.Output.Flush(ref _machine);
        ReportValue("exclavekit: ended by signal "u8, cause.Signal, isHex: false);
        ReportValue(" of thread "u8, Current.Tid, isHex: false);
        ReportValue(" at "u8, _live.ProgramCounter, isHex: true);
        ReportValue(" address "u8, cause.Address, isHex: true);
        ReportValue(" esr "u8, cause.Syndrome, isHex: true);
        ReportValue(" lr "u8, _live.X[30], isHex: true);
        ReportValue(" sp "u8, _live.StackPointer, isHex: true);
        _state.Output.Flush(ref _machine);
        for (int i = 0; i < 31; i++)
        {
            ReportValue(" x"u8, (ulong)i, isHex: false);
            ReportValue(" "u8, _live.X[i], isHex: true);
            if (i % 8 == 7) { _state.Output.Flush(ref _machine); }
        }

        _state.Output.Flush(ref _machine);
        ReportFrames();
        _machine.Exit(128 + cause.Signal);
    }

    private void ReportValue(ReadOnlySpan<byte> name, ulong value, bool isHex)
    {
        _state.Output.Write(name, ref _machine);
        if (isHex)
        {
            _state.Output.WriteHex(value, ref _machine);
        }
        else
        {
            _state.Output.WriteDecimal(value, ref _machine);
        }
    }

    /// <summary>Return addresses by the chain of frame pointers; symbols are the business of the host.</summary>
    private void ReportFrames()
    {
        const int MaxFrames = 32;
        ulong frame = _live.X[29];
        _state.Output.Write("frames"u8, ref _machine);
        for (int i = 0; i < MaxFrames && frame != 0 && (frame & 7) == 0; i++)
        {
            if (!TryRead(frame, out ulong next) || !TryRead(frame + 8, out ulong address)) { break; }

            ReportValue(" "u8, address, isHex: true);
            if (next <= frame) { break; }

            frame = next;
        }

        _state.Output.Flush(ref _machine);
    }
}
