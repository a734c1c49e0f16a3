using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.RogueKernel;

/// <summary>What Linux can ask a rogue kernel for: any yielding call but the driver's own, x1 = this, x2 and x3 = operands.</summary>
/// <remarks>Answers: x0 = <see cref="Reply"/>, results from x1 on. README.md has the table.</remarks>
internal enum Command : ulong
{
    /// <summary>x1 = <see cref="Rogue.Magic"/>, x2 = CPU, x3 = number of registers behind V and FPSR in a snapshot.</summary>
    Ping = 0,

    /// <summary>
    /// Keeps what this entry found in all registers. x2: bit 0 fill all registers with the pattern x3 before leaving, bit 1 answer as a foreign interrupt does.
    /// </summary>
    Hold = 1,

    /// <summary>x2 = word of the kept snapshot (registers.h); x1 = its value.</summary>
    Read = 2,

    /// <summary>Sets operand x2 (0 to 15) of this CPU to x3.</summary>
    Operand = 3,

    /// <summary>Loads from the physical address x2; x3 = bytes, plus 0x100 for device memory. x1 = value.</summary>
    Load = 4,

    /// <summary>Stores operand 0 to the physical address x2; x3 as in <see cref="Load"/>.</summary>
    Store = 5,

    /// <summary>Calls code at the physical address x2 with x0 = x3. x1 = its x0.</summary>
    Execute = 6,

    /// <summary>`hvc #0` with x0 to x7 = operands 0 to 7 and x16 = operand 8. x1 to x3 = its x0 to x2.</summary>
    Gate = 7,

    /// <summary>One instruction of <see cref="Instruction"/>: x2 which, x3 its x0. x1 = x0 afterwards.</summary>
    Instruction = 8,

    /// <summary>Runs EL0 code: x2 = <see cref="UserProbe"/>, x3 = PSTATE, operand 9 its x0. x1 = vector that took it back (0 synchronous, 1 IRQ, 2 FIQ, 3 SError), x2 = ESR_EL1, x3 = EL0's x0.</summary>
    User = 9,

    /// <summary>Waits inside until ISR_EL1 shows an interrupt, at most x2 rounds. x1 = ISR_EL1, x2 = rounds left.</summary>
    Wait = 10,

    /// <summary>x1 = register x2 of ALL_REGISTERS, now.</summary>
    ReadRegister = 11,

    /// <summary>Writes x3 to register x2 of ALL_REGISTERS and lets it stand.</summary>
    WriteRegister = 12,

    /// <summary>Maps the physical page x2 at a fixed address for good, attributes as in <see cref="Load"/>, without touching it. x1 = virtual address.</summary>
    Map = 13,

    /// <summary>From now on this CPU answers every request at once with zeros and takes no command any more: the shortest way through the gate. Does not answer itself.</summary>
    Spin = 14,

    /// <summary>x2 times two calls in turn: x0 to x2 = operands 0 to 2 and x16 = operand 8, then operands 4 to 6 and 9. x1 = the last x0 that was not 0.</summary>
    Repeat = 15,

    /// <summary>Makes the physical page x2 its stage-1 table of level 0 for one load from the virtual address x3. x1 = value.</summary>
    Walk = 16,

    /// <summary>Spins x2 rounds.</summary>
    Work = 17,
}

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

    /// <summary>From SK's entry.S, once per CPU. Never returns.</summary>
    [RuntimeExport("sk_main")]
    public static void Main(ulong bootInfo, ulong number)
    {
        BuildWindow();
        byte* page = CpuPages() + (number * CpuPageBytes);
        GateFrame frame = default;
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
            if (command == (ulong)Command.Hold)
            {
                ulong words = SnapshotSystemWord + RegisterCount();
                for (ulong i = 0; i < words; i++)
                {
                    ((ulong*)(page + KeptOffset))[i] = ((ulong*)page)[i];
                }

                seed = (x2 & 1) != 0 ? x3 : 0;
                frame.W1 = (x2 & 2) != 0 ? Tee.RpcForeignInterrupt : (ulong)Reply.Done;
                continue;
            }

            Volatile.Write(ref *(ulong*)(page + FaultSyndromeOffset), 0);
            Carry(page, (Command)command, x2, x3, number, ref frame);
            ulong syndrome = Volatile.Read(ref *(ulong*)(page + FaultSyndromeOffset));
            if (syndrome != 0 && command != (ulong)Command.User)
            {
                frame.W1 = (ulong)Reply.Refused;
                frame.W2 = syndrome;
                frame.W3 = *(ulong*)(page + FaultSyndromeOffset + 8);
            }
        }
    }

    private static void Carry(byte* page, Command command, ulong x2, ulong x3, ulong number, ref GateFrame frame)
    {
        ulong window = (number + 1) * WindowBytes;
        ref Operands operands = ref _operands[(int)number];
        switch (command)
        {
            case Command.Ping:
                frame.W2 = Magic;
                frame.W3 = number;
                frame.W4 = RegisterCount();
                break;
            case Command.Read:
                frame.W2 = x2 < SnapshotSystemWord + RegisterCount() ? ((ulong*)(page + KeptOffset))[x2] : 0;
                break;
            case Command.Operand:
                operands[(int)x2 & OperandMask] = x3;
                break;
            case Command.Load:
                frame.W2 = ProbeLoad(Show(window + Window, x2, x3, execute: false), x3 & 0xFF);
                break;
            case Command.Store:
                ProbeStore(Show(window + Window, x2, x3, execute: false), x3 & 0xFF, operands[0]);
                break;
            case Command.Execute:
                frame.W2 = ProbeCall(Show(window + Window, x2, 0, execute: true), x3);
                break;
            case Command.Gate:
                Operands words = operands;
                AnyGate(ref words);
                frame.W2 = words[0];
                frame.W3 = words[1];
                frame.W4 = words[2];
                break;
            case Command.Instruction when x2 < (ulong)Instruction.Count:
                frame.W2 = ProbeCall((ulong)Instructions() + (x2 * InstructionBytes), x3);
                break;
            case Command.User when x2 < (ulong)UserProbe.Count:
                ulong code = Show(window + UserWindow, (ulong)UserCode() - DirectMap, 0, execute: true);
                frame.W2 = RunUser(code + (x2 * InstructionBytes), operands[UserOperand], x3 & 0xF000_03C0);
                frame.W3 = *(ulong*)(page + FaultSyndromeOffset);
                frame.W4 = *(ulong*)(page + FaultSyndromeOffset + 16);
                break;
            case Command.Wait:
                ulong status = 0;
                while (x2 != 0 && (status = ProbeCall((ulong)Instructions() + ((ulong)Instruction.InterruptStatus * InstructionBytes), 0)) == 0)
                {
                    x2--;
                }

                frame.W2 = status;
                frame.W3 = x2;
                break;
            case Command.ReadRegister when x2 < RegisterCount():
                frame.W2 = ProbeCall((ulong)Readers() + (x2 * 8), 0);
                break;
            case Command.WriteRegister when x2 < RegisterCount():
                ProbeCall((ulong)Writers() + (x2 * 8), x3);
                break;
            case Command.Spin:
                SpinForEver();
                break;
            case Command.Repeat:
                Operands pair = operands;
                frame.W2 = x2 == 0 ? 0 : RepeatPair(ref pair, x2);
                break;
            case Command.Map:
                frame.W2 = Show(window + LastingWindow, x2, x3, execute: false);
                break;
            case Command.Walk:
                frame.W2 = WalkThrough(x2, x3);
                break;
            case Command.Work:
                for (; x2 != 0; x2--)
                {
                    _ = Volatile.Read(ref operands[0]);
                }

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
