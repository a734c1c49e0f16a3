using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>The report of a component's end, line by line in the form of docs/panic.md: a line takes long, so each is a step of its own.</summary>
public static class CrashReport<TMachine> where TMachine : struct, IMachine
{
    private const int RegistersPerLine = 4;
    private const int RegisterLines = 8;
    private const int RegisterCount = 31;
    private const int FirstReturn = 2 + RegisterLines;

    public static void WriteLine(ref KernelState kernel)
    {
        LogLine<TMachine> line = LogLine<TMachine>.Start(ref kernel);
        line.Add("[Exclaves] "u8);
        ref PanicRecord crash = ref kernel.Crash;
        kernel.CrashLine += kernel.IsDebug || kernel.CrashLine != 2 ? 0 : RegisterLines;
        int number = kernel.CrashLine++;
        switch (number)
        {
            case 0:
                line.Add("crash in "u8);
                line.Add(((System.ReadOnlySpan<byte>)crash.Component)[..NameLength(in crash)]);
                line.Add(": "u8);
                line.Add(((System.ReadOnlySpan<byte>)crash.Message)[..(int)crash.MessageBytes]);
                break;
            case 1:
                line.Add("cpu "u8);
                line.AddDecimal((uint)kernel.CrashCpu);
                Add(ref line, " pc "u8, crash.ProgramCounter);
                Add(ref line, " esr "u8, crash.Syndrome);
                if (kernel.IsDebug)
                {
                    Add(ref line, " sp "u8, crash.StackPointer);
                    Add(ref line, " pstate "u8, crash.ProcessorState);
                    Add(ref line, " far "u8, crash.FaultAddress);
                }

                break;
            case < FirstReturn:
                int register = (number - 2) * RegistersPerLine;
                line.Add("x"u8);
                line.AddDecimal((uint)register);
                for (int i = register; i < register + RegistersPerLine && i < RegisterCount; i++)
                {
                    Add(ref line, " "u8, crash.X[i]);
                }

                break;
            default:
                int depth = number - FirstReturn;
                if (depth < (int)crash.Depth)
                {
                    Add(ref line, "from "u8, crash.Backtrace[depth]);
                    break;
                }

                line.Add("end: it alone ends; its next session starts it anew"u8);
                kernel.Pending &= ~PendingWork.Report;
                crash = default;
                break;
        }

        line.Send();
    }

    private static int NameLength(in PanicRecord crash)
    {
        int length = 0;
        while (length < 64 && crash.Component[length] != 0)
        {
            length++;
        }

        return length;
    }

    private static void Add(ref LogLine<TMachine> line, scoped System.ReadOnlySpan<byte> name, ulong value)
    {
        line.Add(name);
        line.AddHex(value);
    }
}
