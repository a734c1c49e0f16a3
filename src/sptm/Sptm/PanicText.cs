using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>The report of a panic, line by line: for people, and for `exclave`, which adds the names to the addresses.</summary>
/// <remarks>Every line starts with <see cref="Mark"/>, as in the original's panic strings. docs/panic.md has the form.</remarks>
public static class PanicText
{
    public const int MaximumLine = 256;

    private const int RegistersPerLine = 4;
    private const int RegisterLines = 8;
    private const int FirstReturn = 2 + RegisterLines;
    private const int GeneralRegisterCount = 31;

    /// <summary>Last line: the report is whole, and what happens next.</summary>
    public static ReadOnlySpan<byte> LinuxGoesOn => "[Exclaves] end: no call enters any more; Linux goes on"u8;

    public static ReadOnlySpan<byte> MachineStops => "[Exclaves] end: the machine stops"u8;

    /// <summary>Starts each line.</summary>
    private static ReadOnlySpan<byte> Mark => "[Exclaves] "u8;

    /// <summary>Appends line <paramref name="number"/>, from 0 on. False: there are no more.</summary>
    /// <param name="hasRegisters">With what the registers hold: not where Linux reads the report of a production image.</param>
    public static bool TryAppend(ref LineBuilder line, in PanicRecord record, ulong cpu, bool hasRegisters, int number)
    {
        line.Append(Mark);
        number += hasRegisters || number < 2 ? 0 : RegisterLines;
        switch (number)
        {
            case 0:
                line.Append("panic in "u8);
                ReadOnlySpan<byte> name = record.Component;
                int end = name.IndexOf((byte)0);
                name = name[..(end < 0 ? name.Length : end)];
                line.Append(name.IsEmpty ? "SK"u8 : name);
                line.Append(": "u8);
                line.Append(((ReadOnlySpan<byte>)record.Message)[..Bounded(record.MessageBytes, PanicRecord.MaxMessage)]);
                return true;
            case 1:
                line.Append("cpu "u8);
                line.AppendDecimal(cpu);
                Append(ref line, " pc "u8, record.ProgramCounter);
                Append(ref line, " esr "u8, record.Syndrome);
                if (hasRegisters)
                {
                    Append(ref line, " sp "u8, record.StackPointer);
                    Append(ref line, " pstate "u8, record.ProcessorState);
                    Append(ref line, " far "u8, record.FaultAddress);
                }

                return true;
            case < FirstReturn:
                int register = (number - 2) * RegistersPerLine;
                line.Append("x"u8);
                line.AppendDecimal((ulong)register);
                for (int i = register; i < register + RegistersPerLine && i < GeneralRegisterCount; i++)
                {
                    Append(ref line, " "u8, record.X[i]);
                }

                return true;
            default:
                int depth = number - FirstReturn;
                if (depth >= Bounded(record.Depth, PanicRecord.MaxDepth))
                {
                    return false;
                }

                Append(ref line, "from "u8, record.Backtrace[depth]);
                return true;
        }
    }

    private static int Bounded(uint value, int limit) => value < (uint)limit ? (int)value : limit;

    private static void Append(ref LineBuilder line, scoped ReadOnlySpan<byte> name, ulong value)
    {
        line.Append(name);
        line.AppendHex(value);
    }
}
