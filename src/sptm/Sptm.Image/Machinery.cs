using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>How the monitor ends: by its own defect, or with the machine.</summary>
public static unsafe class Machinery
{
    /// <summary>The monitor cannot be trusted any more: report on the console, the machine stops (I12).</summary>
    /// <remarks>An exception of its own, so that the report has registers and callers as any other.</remarks>
    public static void Panic(scoped ReadOnlySpan<byte> text)
    {
        fixed (byte* first = text)
        {
            El2.Panic(first, text.Length);
        }
    }

    private static void Stop()
    {
        El2.Smc(PsciPolicy.SystemOff, 0, 0, 0);
        while (true)
        {
            Arm64.Wfi();
        }
    }

    /// <summary>Linux turns the machine off or restarts it: what the secure world held is overwritten first, since RAM survives a reset.</summary>
    public static void End(uint function)
    {
        Monitor.BeginEnd();
        Console.TakeFromLinux();
        SelfCheck.Ending();
        Evict();
        Scrub(Virt.RamBase, Monitor.Description.RamBytes);
        for (int i = 0; i < Virt.MaxCpus; i++)
        {
            Monitor.Cpu(i)->Secure = default;
            Monitor.Cpu(i)->SecureWorld = default;
        }

        Arm64.DsbSy();
        El2.Smc(function, 0, 0, 0);
    }

    /// <summary>Takes the secure world's memory away from under every CPU, and waits until none is inside: what it held in registers is not written back.</summary>
    /// <remarks>Nobody inside completes another instruction, so the wait is as long as one trap.</remarks>
    private static void Evict()
    {
        if (Monitor.SecureTables.Root != 0)
        {
            Unmap();
        }

        Arm64.DsbSy();
        for (int i = 0; i < Monitor.Description.CpuCount; i++)
        {
            while (Monitor.Cpu(i)->World == World.Secure)
            {
                Thread.SpinWait(1);
            }
        }
    }

    /// <summary>Takes everything away from the secure world: a CPU that is inside takes a fault at its next instruction, whatever it holds or waits for.</summary>
    public static void Unmap()
    {
        using Spinlock.Held held = Monitor.LockStage2();

        // Whole entries of level 1: takes no table and cannot fail.
        _ = Monitor.SecureTables.SetRange(ref Monitor.Tables, 0, 1ul << Stage2<Stage2Machine>.IpaBits, FrameAccess.None, device: false);
    }

    /// <summary>This CPU is in the secure world from now on, unless the machine ends: either the one that ends it sees us inside, or we see that it ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void GoIn(PerCpu* cpu)
    {
        cpu->World = World.Secure;
        Interlocked.MemoryBarrier();
        if (Monitor.IsEnding)
        {
            Park(cpu);
        }
    }

    /// <summary>This CPU was in the secure world, or was about to enter, when the machine ended. Does not return.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Park(PerCpu* cpu)
    {
        cpu->Secure = default;
        cpu->SecureWorld = default;
        cpu->World = World.Linux;
        while (true)
        {
            Arm64.Wfi();
        }
    }

    /// <summary>Overwrites the frames of a range that only SK could write: its own data, with the registers of its threads, its untyped memory, donated memory.</summary>
    private static void Scrub(ulong start, ulong bytes)
    {
        FrameTable frames = Monitor.Frames;
        for (ulong address = start; address < start + bytes; address += FrameTable.PageBytes)
        {
            if (frames.TypeOf(address) is FrameType.SkDefault or FrameType.SkDonated or FrameType.SkSharedRo)
            {
                // SAFETY: a frame of RAM that entry.S maps; SK's data and the pool hold no code or tables of the monitor.
                new Span<byte>((void*)address, (int)FrameTable.PageBytes).Clear();
            }
        }
    }

    /// <summary>
    /// An exception of EL2 itself (vectors.S). A breakpoint is <see cref="Panic"/>, with its text in x0 and x1, or a helper of the compiler that
    /// must not run (index out of range, division by zero, a broken stack cookie), whose number is in x0.
    /// </summary>
    [RuntimeExport("sptm_broken")]
    public static void Broken(GeneralRegisters* registers, ulong stackPointer, ulong vector, ulong esr, ulong elr, ulong far, ulong spsr)
    {
        Console.Seize();
        PanicRecord record = default;
        record.X = *registers;
        record.StackPointer = stackPointer;
        record.ProgramCounter = elr;
        record.ProcessorState = spsr;
        record.Syndrome = esr;
        record.FaultAddress = far;
        "SPTM"u8.CopyTo(record.Component);
        Syndrome syndrome = new(esr);
        bool check = syndrome.Class == ExceptionClass.Breakpoint;
        LineBuilder line = new(record.Message);
        if (check && syndrome.Immediate != 0)
        {
            // SAFETY: sptm_panic alone has another number; its caller's text lies on the stack that it left, or among the constants.
            line.Append(new ReadOnlySpan<byte>((void*)record.X[0], (int)record.X[1]));
        }
        else
        {
            line.Append(check ? "failed check "u8 : "exception at EL2, vector "u8);
            line.AppendDecimal(check ? record.X[0] : vector);
        }

        record.MessageBytes = (uint)line.Text.Length;
        SecurePanic.Walk(ref record, directMap: 0, FrameType.SptmData);
        SecurePanic.Report(record, Arm64.ReadMpidrEl1() & 0xFF, PanicText.MachineStops);
        Stop();
    }
}
