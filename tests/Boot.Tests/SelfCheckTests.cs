using System;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The monitor that checks itself notices what is wrong: the other machine tests say nothing with one that notices nothing.</summary>
public class SelfCheckTests
{
    [Theory]
    [InlineData(PlantedDifference.Mapping, "Linux's stage 2 and the type of a frame differ: 0x40400000")]
    [InlineData(PlantedDifference.Type, "Linux's stage 2 and the type of a frame differ: 0x40400000")]
    [InlineData(PlantedDifference.Count, "type and borrow count of a frame differ: ")]
    [InlineData(PlantedDifference.Window, "devices reach what is not Linux's memory: 0x40400000")]
    [InlineData(PlantedDifference.OwnTable, "the monitor's text and what it may execute differ: ")]
    public async Task APlantedDifferenceStopsTheMachine(PlantedDifference planted, string rule)
    {
        Assert.StartsWith("SPTM panicked: checked: " + rule, await FailureOf(planted));
    }

    /// <summary>Who notices a TLBI that was left out depends on what Linux does next: the frame is given out, cleared, or mapped again.</summary>
    [Fact]
    public async Task AMissingInvalidationStopsTheMachine()
    {
        string[] rules =
        [
            "a TLBI is missing after a change of: ",
            "a frame cleared before the TLBI for its old translation: ",
            "a descriptor made valid before the TLBI for the old one: ",
        ];
        string? failure = await FailureOf(PlantedDifference.Invalidation);
        Assert.Contains(rules, rule => failure?.StartsWith("SPTM panicked: checked: " + rule, StringComparison.Ordinal) == true);
    }

    private static async Task<string?> FailureOf(PlantedDifference planted)
    {
        MachineSpec spec = Guest.Usual with { Planted = [planted] };
        return (await Guest.Run(spec, "exclave-guest hello --count 100 --processes 1")).Outcome.Failure;
    }
}
