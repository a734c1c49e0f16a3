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
    [InlineData(PlantedDifference.Invalidation, "a TLBI is missing after a change of: ")]
    public async Task APlantedDifferenceStopsTheMachine(PlantedDifference planted, string rule)
    {
        MachineSpec spec = Guest.Usual with { Planted = [planted] };
        GuestResult result = await Guest.Run(spec, "exclave-guest hello --count 100 --processes 1");
        Assert.StartsWith("SPTM panicked: checked: " + rule, result.Outcome.Failure);
    }
}
