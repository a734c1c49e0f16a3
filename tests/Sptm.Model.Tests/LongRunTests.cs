using System;
using System.Diagnostics;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Exclaves.Sptm.Model;

/// <summary>A long life of sharing, donating and publishing leaves nothing behind: no fragment, no table, no count.</summary>
[Collection(nameof(ModelRun))]
public class LongRunTests
{
    /// <summary>More tables than the frames that calls name can take.</summary>
    private const int AmplePool = 64;

    /// <summary>So few that calls are refused for lack of them.</summary>
    private const int TightPool = 18;

    /// <summary>What only shows after many calls, or by the shape of the tables.</summary>
    private static readonly Mutation[] Mutations =
    [
        new("blocks never come back", "Stage2.cs", "TMachine.Deviations(table) == 0;", "TMachine.Deviations(table) == ushort.MaxValue;"),
        new("only blocks of 2 MiB come back", "Stage2.cs", "at > 1 && TMachine.Deviations(table) == 0;", "at > 2 && TMachine.Deviations(table) == 0;"),
        new("a table does not count", "Stage2.cs", "TMachine.Deviations(table) += (ushort)((now != home", "TMachine.Deviations(table) += (ushort)((now != home && at != 3"),
        new("a split is not counted", "Stage2.cs", "                Count(table, at, ipa, descriptor, split);\n", ""),
        new("a split counts what is not there", "Stage2.cs", "(ushort)0 : (ushort)(IndexMask + 1)", "(ushort)1 : (ushort)(IndexMask + 1)"),
        new("a table that is given back is lost", "TablePool.cs", "        _free = frame;\n        _freeCount++;", "        _freeCount++;"),
        new("a table that is given back is not counted", "TablePool.cs", "        _free = frame;\n        _freeCount++;", "        _free = frame;"),
        new("a table is given out with a word in it", "TablePool.cs", "            TMachine.WriteEntry(frame, 0);\n", ""),
        new("tables below a block stay taken", "Stage2.cs", "                Free(ref pool, child, 2);\n", "                _ = child;\n"),
        new("the count of borrowers wraps", "FrameRules.cs", "        if (frame.BorrowCount == ushort.MaxValue)\n", "        if (frame.BorrowCount == 0 && frame.ArgumentCount == byte.MaxValue)\n"),
        new("the last borrower is forgotten too early", "FrameRules.cs", "frame.BorrowCount == 0 ? FrameType.XnuDefault", "frame.BorrowCount <= 1 ? FrameType.XnuDefault"),
        new("no TLBI for a translation", "Stage2.cs", "                TMachine.Invalidate(_vmid, ipa);\n", ""),
        new("no TLBI for a table", "Stage2.cs", "                TMachine.InvalidateAll(_vmid);\n", ""),
        new("TLBI for one address where a table goes", "Stage2.cs", "TMachine.InvalidateAll(_vmid);", "TMachine.Invalidate(_vmid, ipa);"),
        new("a frame that is taken back is not cleared", "Retype.cs", "        TMachine.ClearPage(address);\n", "        if (next != FrameType.XnuDefault)\n        {\n            TMachine.ClearPage(address);\n        }\n"),
    ];

    private readonly ITestOutputHelper _output;

    public LongRunTests(ITestOutputHelper output)
    {
        _output = output;
    }

    public static TheoryData<string> Names => [.. Mutations.Select(mutation => mutation.Name)];

    [Theory]
    [InlineData(AmplePool)]
    [InlineData(TightPool)]
    public void NothingIsLeftBehind(int poolPages)
    {
        int seed = Random.Shared.Next();
        _output.WriteLine($"seed {seed}");
        Stopwatch watch = Stopwatch.StartNew();
        (long calls, long refused) = LongRun.Run(seed, 16_000, poolPages);
        _output.WriteLine($"{poolPages} pages for tables: {calls:n0} calls, {refused:n0} of them refused, {watch.Elapsed.TotalSeconds:f1} s");
        Assert.True(calls > 300_000 && refused > 10_000 && calls - refused > 100_000, "the run does next to nothing");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AChangedLineIsSeen(string name)
    {
        string? violation = MutantAssembly.Run(Mutations.Single(one => one.Name == name), typeof(LongRun), 1, 8_000, AmplePool);
        Assert.True(violation is not null, $"{name}: not seen");
        _output.WriteLine(violation);
    }

    [Fact]
    public void WithoutAChangeTheRunHolds() => Assert.Null(MutantAssembly.Run(null, typeof(LongRun), 1, 8_000, AmplePool));
}
