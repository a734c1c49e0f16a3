using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Exclaves.ImageTool.Signing;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>LogServer in the machine: from components and conclaves to `exclavectl log`.</summary>
public class LogTests
{
    private const string Write = $"exclave-guest invoke --service {Services.Stress} --operation 4 > /dev/null && exclave-guest hello --count 1 --processes 1 > /dev/null";
    private const string Stress = "tests/ExclaveKit.Stress/stress.json";

    [Fact]
    public async Task WhatConclavesAndComponentsSayComesOutWithItsSourceAndLevel()
    {
        string said = await Guest.Require(
            Guest.Usual with { Addition = Stress },
            $"{Write} && exclavectl log --json && exclavectl log --level error --source Stress");
        string[] lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Line[] records = Parse(lines.Where(line => line[0] == '{'));
        Assert.Equal(
            [
                ("information", "output 4711"), ("error", "errors 4712"), ("debug", "Stress: 3 keys for 4713"),
                ("critical", "Stress: no .[31mseal [System.InvalidOperationException: 4714]"),
            ],
            records.Where(r => r.Source == "Stress").Select(r => (r.Level, r.Text)));
        Assert.Equal(("information", "ready"), records.Where(r => r.Source == "Hello").Select(r => (r.Level, r.Text)).Single());
        Assert.Equal(("information", "virtio-rng ready"), records.Where(r => r.Source == "Entropy").Select(r => (r.Level, r.Text)).Single());
        Assert.Equal(Enumerable.Range(1, records.Length).Select(i => (ulong)i), records.Select(r => r.Sequence));
        Assert.Equal(records.Select(r => r.Microseconds).Order(), records.Select(r => r.Microseconds));
        Assert.InRange(records[0].Microseconds, 1000ul, 3_600_000_000);

        string[] filtered = [.. lines.Where(line => line[0] == '[')];
        Assert.Equal(2, filtered.Length);
        Assert.Matches(@"^\[ *\d+\.\d{6}\] error Stress: errors 4712$", filtered[0]);
        Assert.Matches(@"^\[ *\d+\.\d{6}\] critical Stress: Stress: no ", filtered[1]);
    }

    /// <summary>The owner of Linux reads the log of a production image too: texts that programs have, and no value that they did not call public.</summary>
    [Fact]
    public async Task AProductionImageRedacts()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclave-log-");
        try
        {
            string file = Path.Combine(folder.FullName, "production.pem");
            SigningKey.LoadOrCreateDeveloper(file).Dispose();
            MachineSpec spec = Guest.Product with { Addition = Stress, ProductionKey = file };
            GuestResult result = await Guest.Run(spec, $"{Write} && exclavectl log --json");
            Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}");
            Line[] records = Parse(result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Equal(
                [
                    ("information", "<private>"), ("error", "<private>"), ("debug", "Stress: 3 keys for <private>"),
                    ("critical", "Stress: no .[31mseal [System.InvalidOperationException: <private>]"),
                ],
                records.Where(r => r.Source == "Stress").Select(r => (r.Level, r.Text)));
            Assert.Equal("virtio-rng ready", records.Single(r => r.Source == "Entropy").Text);
            Assert.DoesNotContain("output 471", result.Console, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>It pushes out its own records alone, speaks in nobody's name, moves no cursor of a terminal, and reads nothing.</summary>
    [Fact]
    public async Task AHostileComponentFloods()
    {
        string said = await Guest.Require(
            Guest.Usual with { Addition = "tests/Probe/probe.json" },
            "exclave-guest hello --count 1 --processes 1 > /dev/null && exclave-guest probe flood --count 20000 && exclavectl log --json");
        string[] lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("flood: 20000 taken, 0 not refused", lines[0]);
        Assert.Equal("{\"lost\":", lines.Single(line => line.StartsWith("{\"lost\"", StringComparison.Ordinal))[..8]);
        Line[] records = Parse(lines.Skip(1).Where(line => !line.StartsWith("{\"lost\"", StringComparison.Ordinal)));
        Assert.Equal(["ready"], records.Where(r => r.Source == "Hello").Select(r => r.Text));
        Assert.Equal(["virtio-rng ready"], records.Where(r => r.Source == "Entropy").Select(r => r.Text));
        Assert.Equal(1024, records.Length);
        Assert.Equal([".[2J Hello: .31mforged. "], records.Where(r => r.Source == "Probe").Select(r => r.Text).Distinct());
        Assert.True(records[^1].Microseconds < 3_600_000_000, "a record is from the future");
    }

    [Fact]
    public async Task FollowingShowsWhatComesAndErrorsSayWhatIsWrong()
    {
        GuestResult result = await Guest.Run(
            Guest.Usual with { Addition = Stress },
            $"exclavectl log --follow > /tmp/followed & reader=$!; sleep 2; {Write}; sleep 3; kill $reader; grep -c 'Stress: output 4711' /tmp/followed; "
            + "exclavectl log --level loud; test $? = 2 && ! exclavectl --connect tee:/dev/tee9 log && ! exclavectl --connect tee:/dev/null log && ! exclavectl --connect here log "
            + "&& ! exclave-guest invoke --service 00000000-0000-4000-8000-000000000001");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}");
        Assert.Equal("1\n", result.Text);
        string[] errors = [.. result.Errors.Split('\n').Where(line => line.StartsWith("exclavectl: ", StringComparison.Ordinal))];
        Assert.Equal(4, errors.Length);
        Assert.Contains("'loud'", errors[0], StringComparison.Ordinal);
        Assert.Contains("/dev/tee9: there is no such device: no secure world, or the optee module is not loaded (modprobe optee)", errors[1], StringComparison.Ordinal);
        Assert.Contains("/dev/null: it is not a TEE device", errors[2], StringComparison.Ordinal);
        Assert.Contains("an address is tee:DEVICE or unix:SOCKET", errors[3], StringComparison.Ordinal);
        Assert.Contains("exclave-guest: open service the service (00000000-0000-4000-8000-000000000001): the secure world has no such service", result.Errors, StringComparison.Ordinal);
    }

    private static Line[] Parse(IEnumerable<string> lines) => [.. lines.Select(line =>
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement record = document.RootElement;
        return new Line(
            record.GetProperty("sequence").GetUInt64(),
            record.GetProperty("microseconds").GetUInt64(),
            record.GetProperty("level").GetString()!,
            record.GetProperty("source").GetString()!,
            record.GetProperty("text").GetString()!);
    })];

    private sealed record Line(ulong Sequence, ulong Microseconds, string Level, string Source, string Text);
}
