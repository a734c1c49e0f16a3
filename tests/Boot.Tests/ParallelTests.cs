using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Threads of one .NET conclave on several CPUs (tests/ExclaveKit.Stress).</summary>
public class ParallelTests
{
    private static readonly MachineSpec WithStress = Guest.Usual with { Addition = "tests/ExclaveKit.Stress/stress.json" };

    [Theory, InlineData(1), InlineData(2), InlineData(4)]
    public async Task AConclaveComputesOnAllCpusAndIsCollectedMeanwhile(int cpus) => Assert.Equal(
        "parallel: 4 threads of one call, 0 wrong, collected meanwhile: yes\n"
        + $"parallel: threads of one conclave run {(cpus == 1 ? "in turns" : "at once")}\n"
        + "parallel: 4 calls at once, 0 wrong\n"
        + "parallel: 5 callers killed, 0 results of others wrong\n"
        + "parallel: counters returned\n",
        await Guest.Require(WithStress with { Cpus = cpus }, "exclave-guest parallel --threads 4", 400));
}
