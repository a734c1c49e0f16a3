using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Components that attack SK from inside, and services with several threads (tests/Probe).</summary>
public class ProbeTests
{
    private static readonly MachineSpec WithThreads = Guest.Usual with { Addition = "tests/Probe/threads.json" };
    private static readonly MachineSpec WithProbe = Guest.Usual with { Addition = "tests/Probe/probe.json" };

    [Theory, InlineData(1), InlineData(2)]
    public async Task EverySystemCallDoesWhatItShouldOrIsRefusedForItsReason(int seed)
    {
        string said = await Guest.Require(WithProbe, $"exclave-guest probe hostile --count 20000 --seed {seed} && exclave-guest probe walk --count 20000 --seed {seed}");
        Assert.Matches(": 0 not refused as documented\nwalk: seed [0-9]+, 20000 steps: [0-9]{4,} calls done, [0-9]{5,} refused, each as the model says\n$", said);
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task ThreadsThatAreStartedWrongAreRefusedAndOthersLeaveNothing(int cpus)
    {
        string said = await Guest.Require(WithThreads with { Cpus = cpus }, "exclave-guest probe threads --count 50");
        Assert.Matches("^threads: [0-9]+ calls, 0 not as documented\nthreads: counters returned\n$", said);
    }

    /// <summary>What SK cannot know is its component's affair: the component ends, alone.</summary>
    [Theory]
    [InlineData(ProbeStart.Unmapped, "jump to unmapped memory")]
    [InlineData(ProbeStart.Data, "execute of non-executable memory")]
    [InlineData(ProbeStart.NoStack, "write to unmapped memory")]
    public async Task AThreadThatCannotRunEndsItsComponent(ProbeStart how, string reason)
    {
        GuestResult result = await Guest.Run(WithThreads, $"exclave-guest probe start{how}");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.StartsWith($"crash in Probe: {reason} (it alone ends; ", result.Outcome.Panic[0], System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABufferIsSeenInPlaceAndOnlyWhileTheCallLasts()
    {
        string said = await Guest.Require(WithProbe, "exclave-guest probe lent");
        Assert.Contains("lent: 6 pieces read and filled in place, 0 wrong\nlent: a write of Linux during the call is seen\n", said, System.StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task ACallThatWaitsSleepsInLinuxAndCanBeKilled(int cpus) => Assert.Equal(
        "wait: the caller is in state S\nwait: killed, ended with 137\nwait: counters returned\n",
        await Guest.Require(WithProbe with { Cpus = cpus }, "exclave-guest probe wait"));

    [Theory, InlineData(1), InlineData(2)]
    public async Task WorkThatNoCallWaitsForGetsTimeFromLinux(int cpus) => Assert.Equal(
        "background: 1 of 1 done without a call; Linux was asked for time: yes\n",
        await Guest.Require(WithProbe with { Cpus = cpus }, "exclave-guest probe background"));

    [Theory, InlineData(1), InlineData(2)]
    public async Task TwoThreadsAreInsideOneServiceAtOnceAndItCallsOthers(int cpus) => Assert.Equal(
        "meet: 2 of 2 were not alone\npeer: 21 calls; first wrong: 0; what was asked is whole\n",
        await Guest.Require(WithProbe with { Cpus = cpus }, "exclave-guest probe meet && exclave-guest probe peer"));

    /// <summary>The control: with one thread declared, who comes second waits until the first has given up.</summary>
    [Fact]
    public async Task WithOneThreadTheyNeverMeet()
    {
        GuestResult result = await Guest.Run(Guest.Usual with { Addition = "tests/Probe/one-thread.json" }, "exclave-guest probe meet --turns 5000");
        Assert.Equal((1, "meet: 0 of 2 were not alone\n"), (result.Outcome.ExitStatus, result.Text));
    }
}
