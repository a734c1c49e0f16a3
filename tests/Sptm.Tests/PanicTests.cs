using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>A panic of the secure world: who reports, what the others get, what the report says (I12).</summary>
public class PanicTests
{
    private const ulong Frequency = 62_500_000;

    // State, seconds since the panic (null: none), answer.
    private static readonly (SecureWorldState State, double? Seconds, ulong Answer)[] Answers =
    [
        (SecureWorldState.Starting, null, Tee.ReturnUnknown),
        (SecureWorldState.Closed, null, Tee.ReturnUnknown),
        (SecureWorldState.Reporting, 0, Tee.RpcForeignInterrupt),
        (SecureWorldState.Reporting, 0.999, Tee.RpcForeignInterrupt),
        (SecureWorldState.Reporting, 1, Tee.ReturnEnded),
        (SecureWorldState.Reporting, 1000, Tee.ReturnEnded),
        (SecureWorldState.Closed, 0, Tee.ReturnEnded),
        (SecureWorldState.Closed, 0.5, Tee.ReturnEnded),
        (SecureWorldState.Closed, 1000, Tee.ReturnEnded),
    ];

    [Fact]
    public void CallersWaitForTheReportOneSecondAndThenLearnThatAllIsOver()
    {
        foreach ((SecureWorldState state, double? seconds, ulong answer) in Answers)
        {
            ulong since = seconds == null ? 0ul : 5000;
            Assert.Equal(answer, PanicGate.Answer(state, since, since + (ulong)((seconds ?? 7) * Frequency), Frequency));
        }
    }

    [Fact]
    public void OneCpuReportsAndNobodyOpensAgain()
    {
        foreach (bool open in new[] { false, true })
        {
            uint state = 0;
            if (open)
            {
                SecureWorld.Open(ref state);
            }

            Assert.False(SecureWorld.HasEnded(ref state));
            Assert.True(SecureWorld.TryReport(ref state));
            Assert.False(SecureWorld.TryReport(ref state));
            Assert.True(SecureWorld.HasEnded(ref state));
            SecureWorld.Open(ref state);
            Assert.False(SecureWorld.IsOpen(ref state));
            SecureWorld.Close(ref state);
            Assert.False(SecureWorld.TryReport(ref state));
            Assert.True(SecureWorld.HasEnded(ref state));
        }
    }

    [Fact]
    public void TheReportHasNameMessageStateRegistersAndCallers()
    {
        PanicRecord record = Record("Entropy", "fault");
        for (int i = 0; i < 31; i++)
        {
            record.X[i] = 0x1000 + (ulong)i;
        }

        record.ProgramCounter = 0x40_0120;
        record.StackPointer = 0x7FF0;
        record.ProcessorState = 0x3C5;
        record.Syndrome = 0x9200_0006;
        record.FaultAddress = 0x10;
        record.Depth = 2;
        record.Backtrace[0] = 0x40_0200;
        record.Backtrace[1] = ulong.MaxValue;
        List<string> lines = Format(record, 3);
        Assert.Equal("[Exclaves] panic in Entropy: fault", lines[0]);
        Assert.Equal("[Exclaves] cpu 3 pc 0x400120 esr 0x92000006 sp 0x7ff0 pstate 0x3c5 far 0x10", lines[1]);
        Assert.Equal("[Exclaves] x0 0x1000 0x1001 0x1002 0x1003", lines[2]);
        Assert.Equal("[Exclaves] x28 0x101c 0x101d 0x101e", lines[9]);
        Assert.Equal(["[Exclaves] from 0x400200", "[Exclaves] from 0xffffffffffffffff"], lines[10..]);
        Assert.Equal([lines[0], "[Exclaves] cpu 3 pc 0x400120 esr 0x92000006", .. lines[10..]], Format(record, 3, hasRegisters: false));
    }

    [Fact]
    public void ARecordThatLiesStaysWithinItsBounds()
    {
        PanicRecord record = default;
        ((Span<byte>)record.Component).Fill((byte)'c');
        ((Span<byte>)record.Message).Fill((byte)'m');
        record.MessageBytes = uint.MaxValue;
        record.Depth = uint.MaxValue;
        List<string> lines = Format(record, ulong.MaxValue);
        Assert.Equal(10 + PanicRecord.MaxDepth, lines.Count);
        Assert.Equal("[Exclaves] panic in " + new string('c', 64) + ": " + new string('m', PanicRecord.MaxMessage), lines[0]);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, PanicText.MaximumLine));
    }

    [Fact]
    public void SkHasNoName() => Assert.StartsWith("[Exclaves] panic in SK: x", Format(Record("", "x"), 0)[0]);

    [Theory]
    [InlineData(FrameType.SkDefault, 0xFF0ul, true)]
    [InlineData(FrameType.SkDefault, 0xFF8ul, false)]
    [InlineData(FrameType.SkDefault, 0x14ul, false)]
    [InlineData(FrameType.SkConst, 0ul, false)]
    [InlineData(FrameType.SptmData, 0ul, false)]
    [InlineData(FrameType.XnuDefault, 0ul, false)]
    public void AFrameRecordLiesWholeInDataOfItsLevel(FrameType type, ulong offset, bool found)
    {
        FrameEntry[] entries = new FrameEntry[4];
        FrameTable frames = new(entries, Virt.RamBase);
        entries[1].Type = type;
        ulong physical = Virt.RamBase + 0x1000 + offset;
        Assert.Equal(found ? physical : 0, StackWalk.Locate(frames, StackWalk.SecureKernel + physical, StackWalk.SecureKernel, FrameType.SkDefault));
        Assert.Equal(0ul, StackWalk.Locate(frames, physical, StackWalk.SecureKernel, FrameType.SkDefault));
        Assert.Equal(0ul, StackWalk.Locate(frames, StackWalk.SecureKernel + physical + 0x8000, StackWalk.SecureKernel, FrameType.SkDefault));
    }

    [Theory]
    [InlineData(FrameType.SkSharedRw, 0xFE0ul, true)]
    [InlineData(FrameType.SkSharedRw, 0xFE8ul, false)]
    [InlineData(FrameType.SkSharedRw, 0x4ul, false)]
    [InlineData(FrameType.XnuDefault, 0ul, false)]
    [InlineData(FrameType.SptmData, 0ul, false)]
    [InlineData(FrameType.SkDefault, 0ul, false)]
    public void AThreadIsParkedInBorrowedMemoryAlone(FrameType type, ulong offset, bool sound)
    {
        FrameEntry[] entries = new FrameEntry[2];
        entries[1].Type = type;
        Assert.Equal(sound, PanicWait.IsSound(new FrameTable(entries, Virt.RamBase), Virt.RamBase + 0x1000 + offset));
        Assert.False(PanicWait.IsSound(new FrameTable(entries, Virt.RamBase), 0));
    }

    [Fact]
    public void OneCallIsParkedWhereItIs()
    {
        const ulong Back = (ulong)XnuFunction.ReturnFromRpc;
        const ulong SveHint = 1ul << 16;
        ParkedCall inside = new() { RpcArgument = 8, Cpu = 2 };
        Assert.True(PanicWait.IsInside(inside, 1));
        Assert.False(PanicWait.IsInside(inside, 0) || PanicWait.IsInside(inside, 2));
        Assert.False(PanicWait.ComesBack(inside, Back, 0));
        ParkedCall away = new() { RpcArgument = 8, Token = 77 };
        Assert.True(PanicWait.ComesBack(away, Back, 77) && PanicWait.ComesBack(away, Back | SveHint, 77) && PanicWait.ComesBack(away, Back | (7ul << 32), 77));
        Assert.False(PanicWait.ComesBack(away, (ulong)XnuFunction.CallWithRegdArg, 77) || PanicWait.ComesBack(away, 0, 77));
        Assert.False(PanicWait.ComesBack(away, Back, 77 | (1ul << 32)) || PanicWait.ComesBack(away, Back, 0));
        Assert.False(PanicWait.IsInside(away, uint.MaxValue));
        Assert.False(PanicWait.IsInside(inside with { RpcArgument = 0 }, 1) || PanicWait.ComesBack(away with { RpcArgument = 0 }, Back, 77));
    }

    [Fact]
    public void TheWaitIsACommandThatNobodyServes()
    {
        byte[] argument = new byte[40];
        argument.AsSpan().Fill(0xEE);
        PanicWait.Write(argument);
        Assert.Equal(Tee.RpcPanicWait, BinaryPrimitives.ReadUInt32LittleEndian(argument));
        Assert.Equal(Tee.ErrorGeneric, BinaryPrimitives.ReadUInt32LittleEndian(argument.AsSpan(20)));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(argument.AsSpan(28)));
        Assert.All(argument[32..], rest => Assert.Equal(0xEE, rest));
    }

    [Fact]
    public void AClosedWorldMapsNothingAndNothingIsCached()
    {
        FakeMachine.Reset();
        TablePool pool = new(0x100_0000, 0x10_0000);
        Stage2<FakeMachine> tables = new(0x80_0000, 2, FrameAccess.None);
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, 0x4040_0000, 0x3000, FrameAccess.ReadWrite, device: false));
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, 0xC000_0000, 0x4000_0000, FrameAccess.Read, device: false));
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, 0, 1ul << Stage2<FakeMachine>.IpaBits, FrameAccess.None, device: false));
        Assert.Equal(0ul, tables.Lookup(0x4040_1000));
        Assert.Equal(0ul, tables.Lookup(0xC000_0000));
        Assert.Equal(0, FakeMachine.Stale);

        // A frame that goes back to Linux afterwards finds nothing to unmap.
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, 0x4040_1000, 0x1000, FrameAccess.None, device: false));
        Assert.Equal(0ul, tables.Lookup(0x4040_1000));
    }

    private static PanicRecord Record(string component, string message)
    {
        PanicRecord record = default;
        Encoding.ASCII.GetBytes(component).CopyTo(record.Component);
        Encoding.ASCII.GetBytes(message).CopyTo(record.Message);
        record.MessageBytes = (uint)message.Length;
        return record;
    }

    private static List<string> Format(PanicRecord record, ulong cpu, bool hasRegisters = true)
    {
        byte[] buffer = new byte[PanicText.MaximumLine];
        List<string> lines = [];
        LineBuilder line = new(buffer);
        while (PanicText.TryAppend(ref line, record, cpu, hasRegisters, lines.Count))
        {
            lines.Add(Encoding.ASCII.GetString(line.Text));
            line = new LineBuilder(buffer);
        }

        return lines;
    }
}
