using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.RogueKernel;

/// <summary>How a command went.</summary>
internal enum Reply : ulong
{
    Done = 0,

    /// <summary>An exception came instead: x1 = ESR_EL1, x2 = FAR_EL1.</summary>
    Refused = 0x5245_4655,

    UnknownCommand = 0x554E_4B4E,
}

/// <summary>Instructions by their number in rogue.S.</summary>
internal enum Instruction : ulong
{
    Nop, Smc, Hvc1, Wfi, Wfe, Brk, TlbiOwn, TlbiEl1, TlbiEl2, TlbiStage2, CleanSetWay, Invalidate, InvalidateText, TranslateStage2,
    WriteHcr, WriteVttbr, SendSgi, AcknowledgeGroup1, AcknowledgeGroup0, EndInterrupt, SveLength, SmeStart, MteStore, Pacia,
    PhysicalCounter, VirtualCounter, OsLock, InterruptStatus, ReturnToEl2,
    Count,
}

/// <summary>EL0 code by its number in rogue.S.</summary>
internal enum UserProbe : ulong
{
    Nop, Brk, DebugStatus, CycleCounter, VirtualCounter, PhysicalCounter, TimerValue, Wfi, Hvc, Smc, SveLength, SmeStart, Loop, Load,
    Count,
}

[InlineArray(16)]
internal struct Operands
{
    private ulong _first;
}

[InlineArray(Virt.MaxCpus)]
internal struct OperandTable
{
    private Operands _first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GateFrame
{
    public ulong W0;
    public ulong W1;
    public ulong W2;
    public ulong W3;
    public ulong W4;
    public ulong W5;

    /// <summary>x16.</summary>
    public ulong Target;
}

/// <summary>The interpreter. Each CPU has operands and a window of its own.</summary>
internal static unsafe class Rogue
{
    public const ulong Magic = 0x4555_474F_52; // "ROGUE", little endian

    private const ulong DirectMap = 0xFFFF_0000_0000_0000;
    private const int CpuPageBytes = 4096;
    private const ulong KeptOffset = 0x800;
    private const ulong SnapshotSystemWord = 98;
    private const ulong FaultSyndromeOffset = 0xF08;

    /// <summary>Virtual addresses of the pages in a CPU's window: the probe's, EL0's code, and the lasting one. CPU n's window begins at (n + 1) * WindowBytes.</summary>
    private const ulong WindowBytes = 0x1_0000;
    private const ulong Window = 0x1000;
    private const ulong UserWindow = 0x2000;
    private const ulong LastingWindow = 0x3000;
    private const ulong InstructionBytes = 16;
    private const int UserOperand = 9;
    private const int OperandMask = 15;

    private static OperandTable _operands;
    private static ulong _log;

    /// <summary>From SK's entry.S, once per CPU. Never returns.</summary>
    [RuntimeExport("sk_main")]
    public static void Main(ulong bootInfo, ulong number)
    {
        BuildWindow();
        if (bootInfo != 0)
        {
            // SAFETY: SPTM's page, in SK's map of all memory.
            _log = ((BootInfo*)(bootInfo + DirectMap))->MeasurementLog;
        }

        byte* page = CpuPages() + (number * CpuPageBytes);
        GateFrame frame = default;
        frame.Target = Dispatch.Target(DispatchTable.ReturnToCaller, 0);
        ulong seed = 0;
        while (true)
        {
            frame.W0 = (ulong)GateStatus.Success;
            GateTrip(ref frame, seed);
            seed = 0;
            if (frame.W0 != (ulong)GateEndpoint.Enter)
            {
                frame.W1 = Dispatch.Version;
                continue;
            }

            ulong command = frame.W2;
            ulong x2 = frame.W3;
            ulong x3 = frame.W4;
            if (frame.W1 is Tee.CallWithRpcArg or Tee.CallWithRegdArg && command >= 0x100)
            {
                // Linux's driver at its start: no command has such a number.
                frame.W1 = Tee.ReturnBadCommand;
                continue;
            }

            frame.W1 = (ulong)Reply.Done;
            frame.W2 = 0;
            frame.W3 = 0;
            frame.W4 = 0;
            if (command == (ulong)RogueCommand.Hold)
            {
                ulong words = SnapshotSystemWord + RegisterCount();
                for (ulong i = 0; i < words; i++)
                {
                    ((ulong*)(page + KeptOffset))[i] = ((ulong*)page)[i];
                }

                seed = (x2 & 1) != 0 ? x3 : 0;
                frame.W1 = (x2 & 2) != 0 ? Tee.RpcForeignInterrupt : (ulong)Reply.Done;
                if ((x2 & 4) != 0)
                {
                    BreakRule(ref frame, x3);
                }

                continue;
            }

            Volatile.Write(ref *(ulong*)(page + FaultSyndromeOffset), 0);
            Carry(page, (RogueCommand)command, x2, x3, number, ref frame);
            ulong syndrome = Volatile.Read(ref *(ulong*)(page + FaultSyndromeOffset));
            if (syndrome != 0 && command != (ulong)RogueCommand.User)
            {
                frame.W1 = (ulong)Reply.Refused;
                frame.W2 = syndrome;
                frame.W3 = *(ulong*)(page + FaultSyndromeOffset + 8);
            }
        }
    }

    /// <summary>A function that no table has, with all operands full.</summary>
    private static void BreakRule(ref GateFrame frame, ulong seed)
    {
        frame.Target = Dispatch.Target(DispatchTable.SkBootstrap, 0xBAD);
        frame.W0 = ~seed;
        frame.W1 = ~seed - 1;
        frame.W2 = ~seed - 2;
        frame.W3 = ~seed - 3;
        frame.W4 = ~seed - 4;
        frame.W5 = ~seed - 5;
    }

    private static void Carry(byte* page, RogueCommand command, ulong x2, ulong x3, ulong number, ref GateFrame frame)
    {
        ulong window = (number + 1) * WindowBytes;
        ref Operands operands = ref _operands[(int)number];
        switch (command)
        {
            case RogueCommand.Ping:
                frame.W2 = Magic;
                frame.W3 = number;
                frame.W4 = RegisterCount();
                break;
            case RogueCommand.Read:
                frame.W2 = x2 < SnapshotSystemWord + RegisterCount() ? ((ulong*)(page + KeptOffset))[x2] : 0;
                break;
            case RogueCommand.Operand:
                operands[(int)x2 & OperandMask] = x3;
                break;
            case RogueCommand.Load:
                frame.W2 = ProbeLoad(Show(window + Window, x2, x3, execute: false), x3 & 0xFF);
                break;
            case RogueCommand.Store:
                ProbeStore(Show(window + Window, x2, x3, execute: false), x3 & 0xFF, operands[0]);
                break;
            case RogueCommand.Execute:
                frame.W2 = ProbeCall(Show(window + Window, x2, 0, execute: true), x3);
                break;
            case RogueCommand.Gate:
                Operands words = operands;
                AnyGate(ref words);
                frame.W2 = words[0];
                frame.W3 = words[1];
                frame.W4 = words[2];
                break;
            case RogueCommand.Instruction when x2 < (ulong)Instruction.Count:
                frame.W2 = ProbeCall((ulong)Instructions() + (x2 * InstructionBytes), x3);
                break;
            case RogueCommand.User when x2 < (ulong)UserProbe.Count:
                ulong code = Show(window + UserWindow, (ulong)UserCode() - DirectMap, 0, execute: true);
                frame.W2 = RunUser(code + (x2 * InstructionBytes), operands[UserOperand], x3 & 0xF000_03C0);
                frame.W3 = *(ulong*)(page + FaultSyndromeOffset);
                frame.W4 = *(ulong*)(page + FaultSyndromeOffset + 16);
                break;
            case RogueCommand.Wait:
                ulong status = 0;
                while (x2 != 0 && (status = ProbeCall((ulong)Instructions() + ((ulong)Instruction.InterruptStatus * InstructionBytes), 0)) == 0)
                {
                    x2--;
                }

                frame.W2 = status;
                frame.W3 = x2;
                break;
            case RogueCommand.ReadRegister when x2 < RegisterCount():
                frame.W2 = ProbeCall((ulong)Readers() + (x2 * 8), 0);
                break;
            case RogueCommand.WriteRegister when x2 < RegisterCount():
                ProbeCall((ulong)Writers() + (x2 * 8), x3);
                break;
            case RogueCommand.Spin:
                SpinForEver();
                break;
            case RogueCommand.Repeat:
                Operands pair = operands;
                frame.W2 = x2 == 0 ? 0 : RepeatPair(ref pair, x2);
                break;
            case RogueCommand.Map:
                frame.W2 = Show(window + LastingWindow, x2, x3, execute: false);
                break;
            case RogueCommand.Walk:
                frame.W2 = WalkThrough(x2, x3);
                break;
            case RogueCommand.Work:
                for (; x2 != 0; x2--)
                {
                    _ = Volatile.Read(ref operands[0]);
                }

                break;
            case RogueCommand.Log:
                frame.W2 = _log;
                break;
            default:
                frame.W1 = (ulong)Reply.UnknownCommand;
                break;
        }
    }

    /// <summary>Puts a page's descriptor into the window; answers the address of the byte. Execute: for EL1 and EL0, read only (WXN).</summary>
    private static ulong Show(ulong at, ulong physical, ulong attributes, bool execute)
    {
        const ulong Page = 0x403; // AF, page
        const ulong InnerShareable = 0x300;
        const ulong ReadOnlyUser = 0xC0;
        const ulong NoExecute = 0x60ul << 48;
        bool device = (attributes & 0x100) != 0;
        ulong descriptor = (physical & 0x0000_FFFF_FFFF_F000) | Page | (device ? 4 : InnerShareable) | (execute ? ReadOnlyUser : NoExecute);
        ulong* level3 = (ulong*)(Tables() + (3 * CpuPageBytes));
        Volatile.Write(ref level3[at >> 12], descriptor);
        ProbeCall((ulong)Instructions() + ((ulong)Instruction.TlbiOwn * InstructionBytes), 0);
        ProbeCall((ulong)Instructions() + ((ulong)Instruction.InvalidateText * InstructionBytes), 0);
        return at | (physical & 0xFFF);
    }

    private static ulong WalkThrough(ulong table, ulong address)
    {
        Machine.Arm64.WriteTtbr0El1(table);
        Machine.Arm64.Isb();
        ProbeCall((ulong)Instructions() + ((ulong)Instruction.TlbiOwn * InstructionBytes), 0);
        ulong value = ProbeLoad(address, sizeof(ulong));

        // Show forgets old translations before it uses a window again.
        Machine.Arm64.WriteTtbr0El1((ulong)Tables() - DirectMap);
        Machine.Arm64.Isb();
        return value;
    }

    /// <summary>Four tables for the lowest 2 MiB of the lower half. Every CPU writes the same.</summary>
    private static void BuildWindow()
    {
        ulong tables = (ulong)Tables();
        for (ulong level = 0; level < 3; level++)
        {
            Volatile.Write(ref *(ulong*)(tables + (level * CpuPageBytes)), (tables + ((level + 1) * CpuPageBytes) - DirectMap) | 3);
        }

        Machine.Arm64.DsbIsh();
        Machine.Arm64.WriteTtbr0El1(tables - DirectMap);
        Machine.Arm64.Isb();
    }

    [RuntimeExport("exc_fail")]
    public static void Fail(uint code)
    {
        while (true)
        {
            Machine.Arm64.Wfi();
        }
    }

    [RuntimeImport("*", "rogue_gate")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void GateTrip(ref GateFrame frame, ulong seed);

    [RuntimeImport("*", "rogue_load")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong ProbeLoad(ulong address, ulong bytes);

    [RuntimeImport("*", "rogue_store")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void ProbeStore(ulong address, ulong bytes, ulong value);

    [RuntimeImport("*", "rogue_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong ProbeCall(ulong address, ulong argument);

    [RuntimeImport("*", "rogue_hvc")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void AnyGate(ref Operands words);

    [RuntimeImport("*", "rogue_spin")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void SpinForEver();

    [RuntimeImport("*", "rogue_repeat")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong RepeatPair(ref Operands words, ulong count);

    [RuntimeImport("*", "rogue_user")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong RunUser(ulong entry, ulong argument, ulong state);

    [RuntimeImport("*", "rogue_get_cpus")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* CpuPages();

    [RuntimeImport("*", "rogue_get_tables")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* Tables();

    [RuntimeImport("*", "rogue_get_readers")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* Readers();

    [RuntimeImport("*", "rogue_get_writers")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* Writers();

    [RuntimeImport("*", "rogue_get_instructions")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* Instructions();

    [RuntimeImport("*", "rogue_get_user_code")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern byte* UserCode();

    [RuntimeImport("*", "rogue_get_register_count")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong RegisterCount();
}
