using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

namespace Exclaves.Sptm.Model;

/// <summary>No sequence of calls breaks I1 to I3, whatever TLBs keep (README.md).</summary>
[Collection(nameof(ModelRun))]
public class ModelTests
{
    private readonly ITestOutputHelper _output;

    public ModelTests(ITestOutputHelper output)
    {
        _output = output;
    }

    [Theory]
    [InlineData(ModelRun.AmplePool)]
    [InlineData(9)]
    [InlineData(7)]
    [InlineData(6)]
    public void NoSequenceOfCallsBreaksAnInvariant(int poolPages)
    {
        Stopwatch watch = Stopwatch.StartNew();
        WalkResult result = ModelRun.Run(poolPages, "None");
        _output.WriteLine($"{poolPages} pages for tables: {result}, {watch.Elapsed.TotalSeconds:f1} s");
        Assert.True(result.MonitorStates > 100 && result.States > 10_000, "the model walks next to nothing");
    }
}
