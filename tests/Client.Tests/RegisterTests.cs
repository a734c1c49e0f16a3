using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Exclaves.Attack;
using Xunit;

namespace Exclaves.Client.Tests;

/// <summary>What decides whether a register has leaked, and the structure that carries it.</summary>
public partial class RegisterTests
{
    private static readonly IReadOnlyList<RegisterName> Names =
        RegisterName.Parse("vital SCTLR_EL1\nswitched TPIDR_EL0\nhidden DBGBVR0_EL1\ncounting PMCCNTR_EL0\nlive CNTV_CVAL_EL0\n");

    private static int Index(string name) => Names.ToList().FindIndex(one => one.Name == name);

    [Fact]
    public void CallIsTheModules()
    {
        Dictionary<string, int> header = Define().Matches(File.ReadAllText("world_call.h")).ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value));
        Assert.Equal(WorldCall.Words, header["EXCLAVE_WORLD_WORDS"]);
        Assert.Equal(WorldCall.MaxWrites, header["EXCLAVE_WORLD_WRITES"]);
        Assert.Equal(header["WORLD_CALL_BYTES"], Unsafe.SizeOf<WorldCall>());
        Assert.Equal(WorldCall.Bytes, Unsafe.SizeOf<WorldCall>());
        Assert.Equal(WorldCall.Spin, (ulong)header["WORLD_CALL_FLAG_SPIN"]);
        WorldCall call = default;
        Assert.Equal(header["WORLD_CALL_SEED"], (int)Unsafe.ByteOffset(ref Unsafe.As<WorldCall, ulong>(ref call), ref call.Seed));
        Assert.Equal(header["WORLD_CALL_AFTER"], (int)Unsafe.ByteOffset(ref Unsafe.As<WorldCall, ulong>(ref call), ref Unsafe.As<Snapshot, ulong>(ref call.After)));
    }

    [Fact]
    public void NamesFollowTheLayoutOfASnapshot()
    {
        Assert.Equal(("x30", "SP_EL1", "V0.0", "V31.1"), (Names[30].Name, Names[31].Name, Names[32].Name, Names[95].Name));
        Assert.Equal(("FPCR", "FPSR", "SCTLR_EL1"), (Names[96].Name, Names[97].Name, Names[RegisterName.FirstSystem].Name));
    }

    [Theory]
    [InlineData("x6")]
    [InlineData("V0.0")]
    [InlineData("FPSR")]
    [InlineData("TPIDR_EL0")]
    [InlineData("DBGBVR0_EL1")]
    [InlineData("PMCCNTR_EL0")]
    public void WhatFollowsTheOtherSideHasLeaked(string register)
    {
        Crossing one = Cross(1);
        Crossing other = Cross(2);
        Assert.Empty(LeakCheck.Inward(Names, one, other, out int visible));
        Assert.True(visible > 90);
        other.Inside[Index(register)]++;
        Assert.StartsWith(register + ":", Assert.Single(LeakCheck.Inward(Names, one, other, out _)));
    }

    [Theory]
    [InlineData("x4", true)]
    [InlineData("SP_EL1", true)]
    [InlineData("SCTLR_EL1", true)]
    [InlineData("DBGBVR0_EL1", true)]
    [InlineData("x3", false)]
    [InlineData("PMCCNTR_EL0", false)]
    [InlineData("CNTV_CVAL_EL0", false)]
    public void WhatLinuxFindsChangedHasLeaked(string register, bool counts)
    {
        Crossing crossing = Cross(1);
        Assert.Empty(LeakCheck.Outward(Names, crossing));
        crossing.After[Index(register)]++;
        Assert.Equal(counts ? 1 : 0, LeakCheck.Outward(Names, crossing).Count);
    }

    [Fact]
    public void ARegisterThatLinuxCannotFillShowsNothing()
    {
        Crossing one = Cross(1);
        _ = LeakCheck.Inward(Names, one, Cross(1), out int visible);
        Assert.Equal(0, visible);
    }

    /// <summary>Linux's registers follow the seed, SK finds its own.</summary>
    private static Crossing Cross(ulong seed)
    {
        ulong[] linux = [.. Names.Select((_, i) => seed + ((ulong)i << 48))];
        return new Crossing(linux, new ulong[Names.Count], [.. linux]);
    }

    [GeneratedRegex(@"#define\s+(\w+)\s+(\d+)")]
    private static partial Regex Define();
}
