using System;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>What a component did last, in words.</summary>
public class FaultReasonTests
{
    private const ulong Guard = UserLayout.StackTop - UserLayout.StackBytes - UserLayout.PageBytes;

    [Theory]
    [InlineData(0x00ul, 0ul, 0ul, "illegal instruction")]
    [InlineData(0x18ul, 0ul, 0ul, "instruction that EL0 may not execute")]
    [InlineData(0x0Eul, 0ul, 0ul, "illegal execution state")]
    [InlineData(0x15ul, 7ul, 0ul, "unknown supervisor call")]
    [InlineData(0x20ul, 0x0Ful, 0x1000ul, "execute of non-executable memory")]
    [InlineData(0x20ul, 0x07ul, 0x1000ul, "jump to unmapped memory")]
    [InlineData(0x22ul, 0ul, 0x1001ul, "misaligned program counter")]
    [InlineData(0x26ul, 0ul, 0ul, "misaligned stack pointer")]
    [InlineData(0x24ul, 0x21ul, 0x1001ul, "misaligned access")]
    [InlineData(0x24ul, 0x61ul, 0x1001ul, "misaligned access")]
    [InlineData(0x24ul, 0x4Ful, 0x1000ul, "write to read-only memory")]
    [InlineData(0x24ul, 0x14Ful, 0x1000ul, "read of inaccessible memory")]
    [InlineData(0x24ul, 0x0Ful, 0x1000ul, "read of inaccessible memory")]
    [InlineData(0x24ul, 0x47ul, 8ul, "write to unmapped memory")]
    [InlineData(0x24ul, 0x07ul, 8ul, "read of unmapped memory")]
    [InlineData(0x24ul, 0x46ul, Guard, "stack overflow")]
    [InlineData(0x24ul, 0x47ul, Guard + UserLayout.PageBytes - 1, "stack overflow")]
    [InlineData(0x24ul, 0x07ul, Guard + 8, "stack overflow")]
    [InlineData(0x24ul, 0x47ul, Guard - 1, "write to unmapped memory")]
    [InlineData(0x24ul, 0x47ul, Guard + UserLayout.PageBytes, "write to unmapped memory")]
    [InlineData(0x24ul, 0x50ul, 0x1000ul, "memory error")]
    [InlineData(0x2Cul, 0ul, 0ul, "floating-point exception")]
    [InlineData(0x3Cul, 0ul, 0ul, "breakpoint")]
    [InlineData(0x3Ful, 0ul, 0ul, "exception")]
    public void OfAFault(ulong exceptionClass, ulong rest, ulong address, string reason) => Assert.Equal(reason, Text(FaultReason.OfFault(Stopped(exceptionClass, rest, address))));

    /// <summary>Each thread has a stack, and a page below it, of its own.</summary>
    [Fact]
    public void AnotherThreadsGuardIsNoOverflow()
    {
        Thread second = Stopped(0x24, 0x47, Guard);
        second.Number = 1;
        Assert.Equal("write to unmapped memory", Text(FaultReason.OfFault(in second)));
        second.Context.FaultAddress = UserLayout.StackTopOf(1) - UserLayout.StackBytes - 8;
        Assert.Equal("stack overflow", Text(FaultReason.OfFault(in second)));
    }

    [Theory]
    [InlineData(0ul, 0x15ul, "exit")]
    [InlineData(ExitCode.Returned, 0x15ul, "exit")]
    [InlineData(ExitCode.Signal, 0x15ul, "exit")]
    [InlineData(ExitCode.Signal + 6, 0x15ul, "abort")]
    [InlineData(ExitCode.Signal + 4, 0x00ul, "illegal instruction")]
    [InlineData(ExitCode.LastSignal, 0x3Cul, "breakpoint")]
    [InlineData(ExitCode.LastSignal + 1, 0x00ul, "exit")]
    [InlineData(ExitCode.FirstCheck + 1, 0x15ul, "failed check")]
    [InlineData(ExitCode.LastCheck, 0x15ul, "failed check")]
    [InlineData(ExitCode.QuotaExhausted, 0x15ul, "quota exhausted")]
    [InlineData(ExitCode.StackOverflow, 0x24ul, "stack overflow")]
    [InlineData(ulong.MaxValue, 0x15ul, "exit")]
    public void OfAnExit(ulong code, ulong exceptionClass, string reason) => Assert.Equal(reason, Text(FaultReason.OfExit(code, Stopped(exceptionClass, 0, 0))));

    /// <summary>A Linux program's supervisor says where the program stood.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void AnExitReportsTheContextThatIsNamed(bool isMapped)
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        ulong at = UserLayout.StackTop - 0x1000;
        ref UserContext context = ref FakeMachine.At<UserContext>(sk.At(Sk.Hello).Space.Translate<FakeMachine>(at, write: true));
        context.ProgramCounter = 0x40_0042;
        context.X[5] = 0x555;
        context.Syndrome = 0;
        sk.Call(0, SecureCall.Exit, ExitCode.Signal + 4, isMapped ? at : 0x10_0000);
        sk.AssertRuns(0, Sk.Proxy);
        string reason = isMapped ? "illegal instruction" : "abort";
        Assert.Contains(FakeMachine.Machine.Lines, line => line == "[Exclaves] crash in component2: " + reason);
        Assert.Equal(isMapped, FakeMachine.Machine.Lines.Exists(line => line.StartsWith("[Exclaves] cpu 0 pc 0x400042 ", StringComparison.Ordinal)));
        Assert.Equal(isMapped, FakeMachine.Machine.Lines.Exists(line => line.StartsWith("[Exclaves] x4 0x0 0x555 ", StringComparison.Ordinal)));
    }

    private static Thread Stopped(ulong exceptionClass, ulong rest, ulong address) =>
        new() { Context = new UserContext { Syndrome = (exceptionClass << 26) | rest, FaultAddress = address } };

    private static string Text(ReadOnlySpan<byte> reason) => Encoding.ASCII.GetString(reason);
}
