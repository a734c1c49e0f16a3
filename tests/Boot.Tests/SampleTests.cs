using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The conclaves of samples/ in the secure world.</summary>
public class SampleTests
{
    [Fact]
    public async Task AStoreAllocatesAndDropsManyTimesItsQuota()
    {
        const string Store = "samples/JsonStore/system.json";
        await Guest.Publish(Store);
        string text = await Guest.Require(Guest.Usual with { Addition = Store }, "json-store-client demo && json-store-client soak 256", 900);
        Assert.Matches(
            "^3 are a year older; 2 in Bern: \\[\"anna\",\"carl\"\\]\n"
            + "\\{\"name\":\"Anna\",\"city\":\"Bern\",\"age\":42\\}\n"
            + "soak: 0 of [0-9]+ answers wrong; (25[6-9]|2[6-9][0-9]) MiB allocated, [1-9][0-9]+ collections\n$",
            text);
    }

    [Fact]
    public async Task WorkersAnswerOneCallerAndSeveral()
    {
        const string Workers = "samples/Workers/system.json";
        await Guest.Publish(Workers);
        MachineSpec spec = Guest.Usual with { Addition = Workers, Cpus = 4 };
        Assert.Equal(
            "workers: 1 callers, 0 of 10 answers wrong, work shared: yes\n"
            + "workers: 4 callers, 0 of 40 answers wrong, work shared: yes\n",
            await Guest.Require(spec, "workers-client 1 5 && workers-client 4 5", 600));
    }
}
