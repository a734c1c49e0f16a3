using System;
using System.Threading.Tasks;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>A client that gets nowhere delays nobody. No clock decides: who is delayed hangs, and the test ends by its time limit.</summary>
public class DelayTests
{
    private const int Seconds = 600;

    [Theory, InlineData(1), InlineData(2)]
    public async Task NeitherByOnePercentOfACpuNorByBeingStoppedInsideACollection(int cpus)
    {
        string said = await Guest.Require(Guest.Usual with { Cpus = cpus }, "exclave-guest delay slow --rounds 20", Seconds);
        Assert.EndsWith("both slow clients live\n", said, StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task NorByAnUpcallThatNobodyAnswers(int cpus) => Assert.Equal(
        "delay: 63 of 63 went on while one slept\n",
        await Guest.Require(Guest.Usual with { Cpus = cpus, Addition = "tests/Probe/probe.json" }, "exclave-guest delay upcall", Seconds));
}
