using System;
using System.Linq;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Testing;
using Exclaves.Vectors;
using Xunit;
using Xunit.Abstractions;

namespace Exclaves.Boot.Tests;

/// <summary>Public test vectors through System.Security.Cryptography inside a conclave (tests/Vectors).</summary>
public class VectorTests(ITestOutputHelper output)
{
    private const string Addition = "tests/Vectors/system.json";

    /// <summary>A machine that is emulated is slow: every eighth vector. `vectors-client` without it runs all.</summary>
    private const int Every = 8;

    /// <summary>At least so many must come out as they say.</summary>
    private const int Least = 2000;

    /// <summary>Vector by vector: what fails in the machine fails on this one, with the same .NET, for the same reason. Requests and answers are lent, as are buffers larger than a message.</summary>
    [Fact]
    public async Task TheSameVectorsPassInAConclaveAsHere()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VectorsService());
        using TestSession session = host.Open();
        VectorRun<TestSession> here = new(session, Every);
        here.Run(HostPackages.VectorsFolder);

        await Guest.Publish(Addition);
        MachineSpec spec = Guest.Usual with { Addition = Addition, Share = HostPackages.VectorsFolder };
        string text = await Guest.Require(spec, $"vectors-client lent && vectors-client --every {Every} /share", 900);
        output.WriteLine(text[text.IndexOf("3DES CBC: ", StringComparison.Ordinal)..]);
        Assert.InRange(here.Counts.Values.Sum(count => count.Passed), Least, int.MaxValue);
        Assert.Equal("lent: 4 x 5 pieces read and written in place, 0 wrong\n" + string.Concat(here.Failures.Select(failure => failure + "\n")) + here.Report(), text);
    }
}
