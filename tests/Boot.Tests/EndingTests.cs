using System;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>A component that cannot go on: the report says why in words, with registers, and names the functions.</summary>
public sealed class EndingTests : IDisposable
{
    private static readonly MachineSpec WithProbe = Guest.Usual with { Addition = "tests/Probe/probe.json" };

    private readonly string _folder = Directory.CreateTempSubdirectory("exclaves-ending-").FullName;

    [Theory]
    [InlineData(ProbeFault.IllegalInstruction, "illegal instruction", "probe_undefined")]
    [InlineData(ProbeFault.StackOverflow, "stack overflow", "Endings.Descend")]
    [InlineData(ProbeFault.QuotaExhausted, "quota exhausted", "Endings.TakeAllMemory")]
    [InlineData(ProbeFault.MisalignedAccess, "misaligned access", "probe_misaligned")]
    [InlineData(ProbeFault.ExecuteData, "execute of non-executable memory", "ProbeService.Invoke")]
    [InlineData(ProbeFault.WriteReadOnly, "write to read-only memory", "Endings.WriteStartInfo")]
    [InlineData(ProbeFault.FailedCheck, "failed check", "Endings.BeyondTheEnd")]
    public async Task IsReportedByName(ProbeFault fault, string reason, string function)
    {
        GuestResult result = await Guest.Run(WithProbe, $"exclave-guest probe end {fault}");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        JsonNode crash = Crash(result);
        Assert.Equal(("Probe", reason), ((string?)crash["component"], (string?)crash["message"]));
        Assert.Equal(31 + 5, crash["registers"]!.AsObject().Count);
        string[] functions = Functions(crash);
        Assert.Contains(function, functions);
        if (fault != ProbeFault.StackOverflow)
        {
            // Who called whom, to the service's loop.
            Assert.Contains("ProbeService.Invoke", functions);
            Assert.Contains("component_main", functions);
        }
    }

    /// <summary>Signed with a production key: Linux reads the report and finds no register in it.</summary>
    [Fact]
    public async Task AProductionImageShowsNoRegisters()
    {
        string key = Path.Combine(_folder, "key.pem");
        using (System.Security.Cryptography.ECDsa made = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256))
        {
            await File.WriteAllTextAsync(key, made.ExportPkcs8PrivateKeyPem());
        }

        GuestResult result = await Guest.Run(
            new MachineSpec { Addition = "tests/Probe/probe.json", ProductionKey = key }, "exclave-guest probe end WriteReadOnly; status=$?; cat /sys/firmware/log; exit $status");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.Contains("[Exclaves] crash in Probe: write to read-only memory", result.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(?m)\[Exclaves\] x[0-9]| far 0x| sp 0x|, FAR ", result.Text);
        JsonNode crash = Crash(result);
        Assert.Equal(["pc", "esr"], crash["registers"]!.AsObject().Select(pair => pair.Key));
        Assert.Contains("Endings.WriteStartInfo", Functions(crash));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonNode Crash(GuestResult result) => JsonNode.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(result.Outcome.ConsoleLog)!, "crash.json")))!;

    private static string[] Functions(JsonNode crash) => [.. crash["backtrace"]!.AsArray().Select(frame => (string?)frame!["symbol"] ?? "")];
}
