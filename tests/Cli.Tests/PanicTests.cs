using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Panics;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>Panic reports: found on a console, named, and told apart by what they mean for the machine.</summary>
public class PanicTests
{
    private static readonly string[] Console =
    [
        "[    2.1] exclave: stage tee 2.10",
        "[Exclaves] cpu 9 pc 0x9 sp 0x9: a line without a head counts for nothing",
        "[Exclaves] panic in Entropy: fault\r",
        "[Exclaves] cpu 1 pc 0x7e0000001234 esr 0x92000006 sp 0x7f00000ffff0 pstate 0x0 far 0x10",
        "[Exclaves] x0 0x0 0x1 0x2 0x3",
        "[    7.0] a line of Linux between two of ours",
        "[    7.0] something [Exclaves] x28 0x1c 0x1d 0x1e",
        "[Exclaves] from 0x7e0000002000",
        "[Exclaves] from 0x7e0000003000",
    ];

    [Fact]
    public void AReportIsReadFromAmongOtherLines()
    {
        PanicReader reader = new();
        Assert.All(Console, line => Assert.False(reader.Take(line)));
        Assert.Empty(reader.Reports);
        Assert.True(reader.Take("[Exclaves] end: no call enters any more; Linux goes on"));
        PanicReport report = Assert.Single(reader.Reports);
        Assert.Equal(("Entropy", "fault", 1, false), (report.Component, report.Message, report.Cpu, report.Stopped));
        Assert.Equal([0x7e0000001234ul, 0x7e0000002000ul, 0x7e0000003000ul], report.Backtrace);
        Assert.Equal((0x10ul, 3ul, 0x1eul), (report.Registers["far"], report.Registers["x3"], report.Registers["x30"]));
        Assert.Equal(0x92000006ul, report.Registers["esr"]);
    }

    [Theory, InlineData("panic", false), InlineData("crash", true)]
    public void ACrashIsTheEndOfItsComponentAlone(string what, bool isCrash)
    {
        PanicReader reader = new();
        reader.Take($"[Exclaves] {what} in Hello: fault");
        Assert.True(reader.Take("[Exclaves] end: it alone ends"));
        Assert.Equal((isCrash, "Hello", false), (reader.Reports[0].IsCrash, reader.Reports[0].Component, reader.Reports[0].Stopped));

        // A component's own lines start with its name.
        PanicReader other = new();
        other.Take($"[4.112164] Hello: [Exclaves] {what} in Entropy: fault");
        other.Take("[4.112165] Hello: [Exclaves] end: no");
        Assert.Empty(other.Reports);
    }

    [Theory]
    [InlineData("no call enters any more; Linux goes on", null)]
    [InlineData("the machine stops", "Entropy panicked: fault")]
    public void OnlyAPanicThatStopsTheMachineIsTrouble(string outcome, string? trouble)
    {
        ConsoleWatch watch = new();
        foreach (string line in Console)
        {
            watch.Take(line, TimeSpan.Zero);
        }

        Assert.Null(watch.Trouble);
        watch.Take("[Exclaves] end: " + outcome, TimeSpan.Zero);
        Assert.Equal(trouble, watch.Trouble);
        Assert.Single(watch.Panics);
    }

    [Theory]
    [InlineData("SecureKernel_Exclaves_SecureKernel_Image_Kernel__CarryOut", "Kernel.CarryOut")]
    [InlineData("SecureKernel_Exclaves_SecureKernel_DowncallCalls_1<SecureKernel_Exclaves_SecureKernel_Image_SkMachine>__Forward", "DowncallCalls.Forward")]
    [InlineData("A_Stage2_1<A_B_1<C_D>>__Replace_0", "Stage2.Replace")]
    [InlineData("sk_gate_call", "sk_gate_call")]
    [InlineData("__odd", "__odd")]
    public void CompilersNamesBecomeTypeAndMethod(string name, string clean) => Assert.Equal(clean, Symbolizer.Clean(name));

    [Theory]
    [InlineData("signer_Exclaves_Signer_SignerKeys__Sign", "Exclaves.Signer.SignerKeys.Sign")]
    [InlineData("Exclaves_Tightbeam_Exclaves_Tightbeam_GuardedService_2<System___Canon__A_B_1<System___Canon>>__Answer", "Exclaves.Tightbeam.GuardedService.Answer")]
    [InlineData("S_P_CoreLib_System_Collections_Generic_HashSet_1<Char>___ctor_0", "System.Collections.Generic.HashSet..ctor")]
    [InlineData("System_Runtime_Numerics_System_Numerics_BigIntegerCalculator__AddSelf", "System.Numerics.BigIntegerCalculator.AddSelf")]
    [InlineData("S_P_CoreLib_System_Number__TryInt64ToHexStr<Char>", "System.Number.TryInt64ToHexStr")]
    [InlineData("Bool__ToString", "Bool.ToString")]
    [InlineData("RhpThrowEx", "RhpThrowEx")]
    [InlineData("__libio_codecvt_in", "__libio_codecvt_in")]
    [InlineData("_Z24FireEtwGCRestartEEEnd_V1tPK14minipal_guid__S1_", "_Z24FireEtwGCRestartEEEnd_V1tPK14minipal_guid__S1_")]
    public void MethodsOfNativeAotBecomeNamespaceTypeAndMethod(string name, string clean) => Assert.Equal(clean, DotNetNames.Demangle(name, "signer"));

    [Fact]
    public async Task AddressesGetNamesAndLines()
    {
        string elf = Path.Combine(Workspace.Find().Out, "obj", "SecureKernel", "SecureKernel.elf");
        (ulong start, string name) = await FindFunction(elf, "Kernel__Serve");
        IReadOnlyList<PanicFrame> frames = await Symbolizer.Resolve(Workspace.Find().Root, elf, [start, start + 4, 0x10], CancellationToken.None);
        Assert.Equal([Symbolizer.Clean(name), Symbolizer.Clean(name), null], frames.Select(frame => frame.Symbol));
        Assert.StartsWith("src/sk/SecureKernel.Image/Kernel.cs:", frames[0].Location, StringComparison.Ordinal);
        Assert.Equal([start, start + 4, 0x10], frames.Select(frame => frame.Address));
    }

    [Fact]
    public async Task WithoutTheFileTheAddressesStay()
    {
        IReadOnlyList<PanicFrame> frames = await Symbolizer.Resolve("/", "/nowhere/x.elf", [1, 2], CancellationToken.None);
        Assert.Equal([new PanicFrame(1, null, null), new PanicFrame(2, null, null)], frames);
    }

    private static async Task<(ulong Start, string Name)> FindFunction(string elf, string part)
    {
        string[] lines = [.. (await Tools.Tool.Require("llvm-nm", [elf], CancellationToken.None)).Output];
        string[] words = lines.First(line => line.EndsWith(part, StringComparison.Ordinal)).Split(' ');
        return (Convert.ToUInt64(words[0], 16), words[2]);
    }
}
