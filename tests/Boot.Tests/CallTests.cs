using System;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Calls under load, killed callers, calls that are wrong: nothing lost, nothing wrong, nothing left behind.</summary>
public class CallTests
{
    /// <summary>Keeps every CPU busy while the rest runs.</summary>
    private const string BusyCpus = "for i in $(seq $(nproc)); do yes > /dev/null & done; ";

    [Fact]
    public async Task AHundredThousandCallsUnderLoad() => await Load(100_000, cpus: 2, seconds: 480);

    [Fact, Trait("Category", "Soak")]
    public async Task AMillionCallsOnFourCpusUnderLoad() => await Load(1_000_000, cpus: 4, seconds: 7200);

    [Fact]
    public async Task AThousandKilledClientsLeaveNothingBehind() => await Guest.Require(Guest.Usual, "exclave-guest killtest --count 1000", 400);

    [Fact, Trait("Category", "Soak")]
    public async Task TenThousandKilledClientsLeaveNothingBehind() =>
        await Guest.Require(Guest.Usual with { Cpus = 4 }, "exclave-guest killtest --count 10000", 4000);

    [Theory, InlineData(1), InlineData(4)]
    public async Task ThreadsShareSessions(int cpus) =>
        await Guest.Require(Guest.Usual with { Cpus = cpus }, BusyCpus + "exclave-guest concurrency --count 2000 --threads 8", 240);

    [Fact]
    public async Task WrongCallsAreRefusedEachForItsReason() => await Guest.Require(Guest.Usual, "exclave-guest malformed");

    [Fact]
    public async Task GeneratedClientsCallAFreestandingServiceAndOneOfDotNet()
    {
        string said = await Guest.Require(Guest.Usual, "exclave-guest tightbeam");
        Assert.Contains("tightbeam: 1000 calls of Hello, 0 wrong\ntightbeam: 2000 random requests, 0 without a proper refusal\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConclaveThatEndsTakesNothingElseDown() => await Guest.Require(Guest.Usual, "exclave-guest crash");

    /// <summary>Half a minute of what `exclave soak` does for ten.</summary>
    [Fact]
    public async Task AllStormsAtOnceLeaveNothingBehind() =>
        Assert.Contains("soak: nothing hangs, 0 wrong", await Guest.Require(Guest.Usual with { Cpus = 4, Addition = "tests/Probe/probe.json" }, "exclave-guest soak --seconds 30", 300));

    private static async Task Load(int count, int cpus, int seconds)
    {
        string said = await Guest.Require(Guest.Usual with { Cpus = cpus }, BusyCpus + $"exclave-guest hello --count {count} --processes 4", seconds);
        Assert.StartsWith($"hello: {count} calls from 4 processes", said);
        Assert.Contains(": 0 lost, 0 wrong", said);
    }
}
