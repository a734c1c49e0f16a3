using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>What happens when SK or a core component cannot go on (I12): the report, the end of entries, Linux lives on.</summary>
public static unsafe class SecurePanic
{
    /// <summary>SK says so itself.</summary>
    public static TrapFrame* Take(PerCpu* cpu)
    {
        ulong address = cpu->Secure.X[0];
        PanicRecord record = default;
        if ((address & 7) == 0 && CopyRules.IsOwn(Monitor.Frames, address, (ulong)sizeof(PanicRecord), isWritten: false))
        {
            // SAFETY: SK's own memory, checked above; a panic whose record cannot be read is still a panic.
            record = *(PanicRecord*)address;
        }

        return End(cpu, ref record);
    }

    /// <summary>SK broke its contract.</summary>
    public static TrapFrame* Fault(PerCpu* cpu, scoped ReadOnlySpan<byte> text)
    {
        Monitor.Count(cpu, SptmCounter.SecureBreach);
        PanicRecord record = default;
        text.CopyTo(record.Message);
        record.MessageBytes = (uint)text.Length;
        return End(cpu, ref record);
    }

    /// <summary>This CPU leaves a world that has ended, with the answer that its request gets now.</summary>
    public static TrapFrame* Leave(PerCpu* cpu)
    {
        if ((GateEndpoint)cpu->Request is GateEndpoint.CpuOnline or GateEndpoint.Info)
        {
            return Boot.StartLinux(cpu, firstWorld: false);
        }

        // It carries the call, or was on its way in with the call's token and found SK's lock broken.
        bool parks = cpu->Request == (uint)GateEndpoint.Enter
            && (PanicWait.IsInside(Monitor.Parked, cpu->Number) || PanicWait.ComesBack(Monitor.Parked, cpu->Linux.X[0], cpu->Linux.X[3]));
        cpu->Secure.X[1] = Answer(cpu, parks);
        cpu->Secure.X[2] = 0;
        cpu->Secure.X[3] = 0;
        cpu->Secure.X[4] = 0;
        return SecureGate.Leave(cpu);
    }

    /// <summary>x0 of a yielding call that cannot enter, or was inside.</summary>
    /// <param name="parks">It is the one that waits for good, if it can be made to.</param>
    public static ulong Answer(PerCpu* cpu, bool parks)
    {
        ulong argument = parks ? Interlocked.Exchange(ref Monitor.Parked.RpcArgument, 0ul) : 0;
        if (argument != 0 && PanicWait.IsSound(Monitor.Frames, argument))
        {
            // SAFETY: a frame of Linux's RAM, just checked, whose type nobody changes any more; the argument lies in it whole.
            PanicWait.Write(new Span<byte>((void*)argument, PanicWait.Bytes));
            return Tee.RpcCommand;
        }

        ulong answer = Monitor.AnswerOfEnd(Arm64.ReadCntpctEl0(), Arm64.ReadCntfrqEl0());
        if (answer == Tee.ReturnEnded)
        {
            Monitor.Count(cpu, SptmCounter.EndedCall);
        }

        return answer;
    }

    private static TrapFrame* End(PerCpu* cpu, ref PanicRecord record)
    {
        if (!Monitor.TryReport(Arm64.ReadCntpctEl0(), record.Call))
        {
            return Leave(cpu);
        }

        Machinery.Unmap();
        Complete(ref record, ref cpu->Secure);
        bool stops = (Monitor.Policy & ImagePolicy.StopOnPanic) != 0;
        Report(record, cpu->Number, stops ? PanicText.MachineStops : PanicText.LinuxGoesOn);
        SelfCheck.Reporting();
        if (stops)
        {
            cpu->World = World.Linux;
            Machinery.End(PsciPolicy.SystemOff);
        }

        Monitor.CloseSecure();
        return Leave(cpu);
    }

    /// <summary>What SK did not say of itself: registers at the trap, and who called whom.</summary>
    private static void Complete(ref PanicRecord record, scoped ref TrapFrame frame)
    {
        if (record.ProgramCounter == 0)
        {
            record.X = frame.X;
            record.ProgramCounter = frame.ProgramCounter;
            record.ProcessorState = frame.ProcessorState;
            record.StackPointer = El2.ReadSpEl1();
            record.Syndrome = frame.Syndrome;
            record.FaultAddress = El2.ReadFarEl2();
        }

        if (record.Component[0] == 0)
        {
            Walk(ref record, StackWalk.SecureKernel, FrameType.SkDefault);
        }
    }

    /// <summary>Follows the frame records from x29 on.</summary>
    public static void Walk(ref PanicRecord record, ulong directMap, FrameType data)
    {
        ulong pointer = record.X[29];
        for (record.Depth = 0; record.Depth < PanicRecord.MaxDepth; record.Depth++)
        {
            ulong at = StackWalk.Locate(Monitor.Frames, pointer, directMap, data);
            if (at == 0)
            {
                return;
            }

            // SAFETY: sixteen bytes of RAM of the type asked for.
            record.Backtrace[(int)record.Depth] = *(ulong*)(at + 8);
            pointer = *(ulong*)at;
        }
    }

    public static void Report(in PanicRecord record, ulong cpu, scoped ReadOnlySpan<byte> last)
    {
        Span<byte> buffer = stackalloc byte[PanicText.MaximumLine];
        LineBuilder line = new(buffer);
        for (int i = 0; PanicText.TryAppend(ref line, record, cpu, !SecureBoot.IsProduction, i); i++)
        {
            Console.Urgent(line.Text);
            line = new LineBuilder(buffer);
        }

        Console.Urgent(last);
    }
}
