using System;
using System.Text;
using Exclaves.Cli.Bench;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>What `exclave bench` computes from what it sees.</summary>
public class BenchTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(0, "   \n\t\n")]
    [InlineData(1, "int x; // why")]
    [InlineData(0, "// no\n    /// no\n/* no */")]
    [InlineData(1, "/* first\n * second\n */ mov x0, x1")]
    [InlineData(2, "add x0, x0, #1 /* one */\n/* a */ sub x0, x0, #1\n/*\n\nmov x0, x1\n*/")]
    [InlineData(1, "a(); /* begins\n ends */")]
    public void CommentsAndEmptyLinesDoNotCount(int expected, string text) => Assert.Equal(expected, TrustedBase.CountLines(text.Split('\n')));

    [Fact]
    public void TimesAndTrapsAreRead()
    {
        WorkTimes times = WorkTimes.Parse("compute 312\nfork 90\nfork 85\nfork 99\ntraps 1500\n"u8.ToArray());
        Assert.Equal(3.12, times.Seconds["compute"], 6);
        Assert.Equal(0.85, times.Seconds["fork"], 6);
        Assert.Equal(1.5, times.TrapsPerSecond);
        Assert.Null(WorkTimes.Parse("io 1\n"u8.ToArray()).TrapsPerSecond);
        Assert.Throws<ExclaveException>(() => WorkTimes.Parse(Encoding.UTF8.GetBytes("dd: no space\n")));
    }

    [Fact]
    public void TheShortestRunCounts()
    {
        WorkTimes[] runs = [WorkTimes.Parse("fork 90\n"u8.ToArray()), WorkTimes.Parse("fork 70\npipe 5\n"u8.ToArray()), WorkTimes.Parse("fork 80\n"u8.ToArray())];
        Assert.Equal(0.7, WorkTimes.Shortest(runs, "fork"), 6);
        Assert.Throws<ExclaveException>(() => WorkTimes.Shortest(runs, "pipe"));
    }
}
