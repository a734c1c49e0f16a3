using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Tools;
using Exclaves.ImageTool.Signing;
using Xunit;
using ExitCode = Exclaves.Cli.ExitCode;

namespace Exclaves.Boot.Tests;

/// <summary>Panics of the real image: the report reaches everybody, everybody gets an answer, Linux lives on or stops as declared (I12).</summary>
public class PanicTests
{
    private const string Fragile = "c0f5a1d2-6b3e-4c8f-9d17-2e5a7b9c1d30";

    /// <summary>udf #0, which no level may execute.</summary>
    private const uint Undefined = 0;

    /// <summary>The image with one more component of the core, which faults when asked to.</summary>
    private static readonly MachineSpec WithFragile = Guest.Usual with { Addition = "tests/Boot.Tests/core.json" };

    [Theory, InlineData(1), InlineData(2), InlineData(4)]
    public async Task WhenTheCoreFaultsAllLearnItAndLinuxLivesOn(int cpus)
    {
        GuestResult result = await Guest.Run(
            WithFragile with { Cpus = cpus }, $"exclave-guest panic --service {Fragile} --threads 6; status=$?; cat /sys/firmware/log; nproc; exit $status");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.EndsWith($"\n{cpus}\n", result.Text, StringComparison.Ordinal);

        // Linux reads in the monitor's log what came to the console.
        Assert.Contains("[Exclaves] panic in Fragile: write to unmapped memory", result.Text, StringComparison.Ordinal);
        Assert.Contains("[Exclaves] end: no call enters any more; Linux goes on", result.Text, StringComparison.Ordinal);
        AssertReport(result, "Fragile", "write to unmapped memory", "HelloService.Invoke", "src/conclaves/Hello/HelloService.cs:");
        Assert.StartsWith("panic in Fragile: write to unmapped memory (no call enters any more; Linux goes on; ", result.Outcome.Panic[0], StringComparison.Ordinal);
    }

    /// <summary>
    /// Calls come back again and again while one CPU is in the report, so Linux goes on; the end of the report, or of a second, is the end of that.
    /// The reporter's CPU counts them, and stays there until enough were held, or until the first one was told that all is over.
    /// </summary>
    [Theory]
    [InlineData(PlantedDifference.HeldReport, 2, false)]
    [InlineData(PlantedDifference.HeldReport, 4, false)]
    [InlineData(PlantedDifference.EndlessReport, 2, true)]
    [InlineData(PlantedDifference.EndlessReport, 4, true)]
    public async Task CallersAreHeldForTheReportAndNoLonger(PlantedDifference planted, int cpus, bool endsFirst)
    {
        GuestResult result = await Guest.Run(
            WithFragile with { Cpus = cpus, Planted = [planted] }, $"exclave-guest panic --service {Fragile} --threads 6; status=$?; cat /sys/firmware/log; exit $status");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Match counted = Regex.Match(result.Text, "during the report calls were held: ([0-9]+), ended: ([0-9]+)");
        Assert.True(counted.Success, result.Text);
        Assert.NotEqual("0", counted.Groups[1].Value);
        Assert.Equal(endsFirst, counted.Groups[2].Value != "0");
    }

    [Fact]
    public async Task WhereItIsDeclaredTheMachineStops()
    {
        GuestResult result = await Guest.Run(WithFragile with { StopsOnPanic = true }, $"exclave-guest panic --service {Fragile}");
        Assert.StartsWith("Fragile panicked: write to unmapped memory.", result.Outcome.Failure, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Machine, result.Outcome.FailureCode);
        JsonNode panic = AssertReport(result, "Fragile", "write to unmapped memory", "HelloService.Invoke", "src/conclaves/Hello/HelloService.cs:");
        Assert.Equal("the machine stops", (string?)panic["outcome"]);
    }

    [Fact]
    public async Task AnExceptionOfSkIsReportedWithItsCallers()
    {
        string elf = Path.Combine(Workspace.Find().Out, "obj", "SecureKernel", "SecureKernel.elf");
        ulong start = await FindFunction(elf, "DowncallCalls_1<SecureKernel_Exclaves_SecureKernel_Image_SkMachine>__Forward");

        // Whose call panics is parked when the call was with a component before (FrameMint, if nobody called earlier), and answered otherwise;
        // the next one is answered always.
        const string Script = "exclave-guest hello --count 1 > /dev/null 2>&1 & until grep -q 'panic in SK' /sys/firmware/log; do :; done; "
            + "exclave-guest hello --count 1; test $? = 1 && { kill -9 $!; wait; nproc; }";
        GuestResult result = await Guest.Run(Guest.Usual, Script, alter: path =>
        {
            Write(path, start - 0xFFFF_0000_0000_0000, Undefined);
            using SigningKey key = SigningKey.LoadOrCreateDeveloper(Workspace.Find().DeveloperKey);
            ImageSigner.Sign(path, key);
        });
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.Contains("the secure world has ended: panic in SK: exception in SK 4", result.Errors, StringComparison.Ordinal);
        AssertReport(result, "SK", "exception in SK 4 0 0", "Kernel.CarryOut", "src/sk/SecureKernel.Image/Kernel.cs:");
    }

    /// <summary>
    /// SK breaks its contract on one CPU while it holds its lock. The other CPU is in a conclave; at its next interrupt it would wait for that lock
    /// for ever, with interrupts masked.
    /// </summary>
    [Fact]
    public async Task NobodyWaitsForALockThatSkTookWithIt()
    {
        string elf = Path.Combine(Workspace.Find().Out, "obj", "SecureKernel", "SecureKernel.elf");
        ulong start = await FindFunction(elf, "InformationCalls_1<SecureKernel_Exclaves_SecureKernel_Image_SkMachine>__Counters");
        const string Script = "exclave-guest victim 1 1 > /tmp/ready & until test -s /tmp/ready; do :; done; exclave-guest stats; test $? = 1 && wait; nproc";
        GuestResult result = await Guest.Run(Guest.Usual, Script, alter: path =>
        {
            // mov x16, #0; hvc #0: a call of Linux's table.
            Write(path, start - 0xFFFF_0000_0000_0000, 0xD280_0010, 0xD400_0002);
            using SigningKey key = SigningKey.LoadOrCreateDeveloper(Workspace.Find().DeveloperKey);
            ImageSigner.Sign(path, key);
        });
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.Equal("2\n", result.Text);
        AssertReport(result, "SK", "a call outside its dispatch tables", "Kernel.CarryOut", "src/sk/SecureKernel.Image/Kernel.cs:");
    }

    [Fact]
    public async Task AContractThatSkBreaksIsAPanicOfSk()
    {
        // Command 4 loads from a physical address: the monitor's text.
        GuestResult result = await Guest.Run(Guest.Usual with { HasRogueKernel = true }, "insmod /lib/modules/exclave_attack.ko && exclave-attack rogue 4 40200000 8 && exclave-attack rogue 0");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.Equal($"{Tee.ReturnEnded:x} 0 0 0\n{Tee.ReturnEnded:x} 0 0 0\n", result.Text);
        AssertReport(result, "SK", "trapped to EL2", "sk_main", "tests/RogueKernel/Rogue.cs:");
    }

    [Fact]
    public async Task APanicOfTheMonitorStopsTheMachine()
    {
        string elf = Path.Combine(Workspace.Find().Out, "obj", "Sptm", "Sptm.elf");
        ulong start = await FindFunction(elf, "Image_Traps__PowerOn");
        GuestResult result = await Guest.Run(new MachineSpec(), "true", alter: path => Write(path, start, Undefined));
        Assert.StartsWith("SPTM panicked: exception at EL2, vector 4.", result.Outcome.Failure, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Machine, result.Outcome.FailureCode);
        AssertReport(result, "SPTM", "exception at EL2, vector 4", "Traps.PowerOn", "src/sptm/Sptm.Image/Traps.cs:");
    }

    /// <summary>A monitor that stops by its own decision reports as one that is stopped by an exception.</summary>
    [Fact]
    public async Task AMonitorThatFindsADifferenceReportsItsCallers()
    {
        GuestResult result = await Guest.Run(Guest.Usual with { Planted = [PlantedDifference.Type] }, "true");
        const string Message = "checked: Linux's stage 2 and the type of a frame differ: ";
        Assert.StartsWith("SPTM panicked: " + Message, result.Outcome.Failure, StringComparison.Ordinal);
        string reported = result.Console[(result.Console.IndexOf(Message, StringComparison.Ordinal))..].Split('\r', '\n')[0];
        JsonNode panic = AssertReport(result, "SPTM", reported, "SelfCheck.Booted", "src/sptm/Sptm.Checked/SelfCheck.cs:");
        Assert.Equal("the machine stops", (string?)panic["outcome"]);
    }

    [Fact]
    public async Task WithoutAPanicThereIsNoReport()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "grep -c 'Exclaves runs at EL2' /sys/firmware/log; ! grep -q '\\[Exclaves\\]' /sys/firmware/log");
        Assert.Equal((0, "1\n"), (result.Outcome.ExitStatus, result.Text));
        Assert.Empty(result.Outcome.Panic);
        Assert.False(File.Exists(PanicFileOf(result)));
    }

    /// <summary>panic.json says who and why, has all registers, and names the functions.</summary>
    private static JsonNode AssertReport(GuestResult result, string component, string message, string caller, string location)
    {
        Assert.Contains($"[Exclaves] panic in {component}: {message}", result.Console, StringComparison.Ordinal);
        JsonNode panic = JsonNode.Parse(File.ReadAllText(PanicFileOf(result)))!;
        Assert.Equal((component, message), ((string?)panic["component"], (string?)panic["message"]));
        JsonObject registers = panic["registers"]!.AsObject();
        Assert.Equal(31 + 5, registers.Count);
        JsonArray backtrace = panic["backtrace"]!.AsArray();
        Assert.Equal((string?)registers["pc"], (string?)backtrace[0]!["address"]);
        JsonNode? frame = backtrace.FirstOrDefault(entry => (string?)entry!["symbol"] == caller);
        Assert.True(frame != null, panic.ToJsonString());
        Assert.StartsWith(location, (string?)frame["location"], StringComparison.Ordinal);
        return panic;
    }

    /// <summary>A conclave that ends alone is reported in the same form, with names, and Linux's calls go on.</summary>
    [Fact]
    public async Task ACrashIsReportedWithNamesToo()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "exclave-guest crash");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.StartsWith("crash in Hello: write to unmapped memory (it alone ends; ", result.Outcome.Panic[0], StringComparison.Ordinal);
        Assert.Contains(result.Outcome.Panic, line => line.Contains("ServiceServer.Serve", StringComparison.Ordinal));
        Assert.Contains(result.Outcome.Panic, line => line.Contains("HelloService.Invoke", StringComparison.Ordinal));
        Assert.False(File.Exists(PanicFileOf(result)));
        Assert.True(File.Exists(Path.ChangeExtension(PanicFileOf(result), null).Replace("panic", "crash", StringComparison.Ordinal) + ".json"));
    }

    /// <summary>The frames of a .NET conclave are methods, with namespace and type, as the program's author knows them.</summary>
    [Fact]
    public async Task ACrashOfADotNetConclaveNamesItsMethods()
    {
        MachineSpec spec = Guest.Usual with { Addition = "tests/ExclaveKit.Stress/stress.json" };
        GuestResult result = await Guest.Run(spec, $"exclave-guest invoke --service {Services.Stress} --operation 5; test $? = 1");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        JsonNode crash = JsonNode.Parse(File.ReadAllText(PanicFileOf(result).Replace("panic.json", "crash.json", StringComparison.Ordinal)))!;
        Assert.Equal("Stress", (string?)crash["component"]);
        JsonNode?[] frames = [.. crash["backtrace"]!.AsArray()];
        string?[] methods = [.. frames.Select(frame => (string?)frame!["symbol"])];
        Assert.Contains("Exclaves.ExclaveKit.Stress.StressService.Fail", methods);
        Assert.Contains("Exclaves.ExclaveKit.Stress.StressService.Invoke", methods);
        Assert.Contains(methods, method => method?.StartsWith("Exclaves.Kit.ServiceHost.", StringComparison.Ordinal) == true);
        JsonNode fail = frames.First(frame => (string?)frame!["symbol"] == "Exclaves.ExclaveKit.Stress.StressService.Fail")!;
        Assert.StartsWith("tests/ExclaveKit.Stress/StressService.cs:", (string?)fail["location"], StringComparison.Ordinal);
    }

    private static string PanicFileOf(GuestResult result) => Path.Combine(Path.GetDirectoryName(result.Outcome.ConsoleLog)!, "panic.json");

    private static async Task<ulong> FindFunction(string elf, string end)
    {
        ToolResult names = await Tool.Require("llvm-nm", [elf], CancellationToken.None);
        return Convert.ToUInt64(names.Output.Single(line => line.EndsWith(end, StringComparison.Ordinal)).Split(' ')[0], 16);
    }

    /// <summary>Puts instructions at a physical address of the image.</summary>
    private static void Write(string image, ulong address, params uint[] instructions)
    {
        using FileStream stream = new(image, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = (long)(address - Virt.ImageBase);
        stream.Write(MemoryMarshal.AsBytes<uint>(instructions));
    }
}
