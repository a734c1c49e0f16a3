using System.Globalization;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Memory that Linux gives to a conclave: used, given back, taken back.</summary>
public class DonationTests
{
    private const string Reload = "rmmod optee && insmod /lib/modules/optee.ko && until [ -e /dev/tee0 ]; do :; done; ";

    /// <summary>Frames, runs and allocations, as `exclave-guest donate` prints them.</summary>
    private const string Nothing = "frames 0, runs 0, allocations 0";

    [Fact]
    public async Task LinuxGivesMemoryAndHasItBackAfterEachRound()
    {
        string said = await Guest.Require(Guest.Usual, "exclave-guest donate --count 20 --pages 1500 && exclave-guest donate drop", 300);
        Assert.Contains("donate: 20 rounds of 1500 pages, all back; retypes refused 0, bad replies 0", said);
        Assert.Contains(Nothing, said);
    }

    /// <summary>Memory that the conclave keeps but does not use goes with the driver, and the conclave lives on.</summary>
    [Fact]
    public async Task TheDriverCanLeaveAndComeBackAndNothingIsMissing()
    {
        string said = await Guest.Require(
            Guest.Usual,
            "for i in 1 2 3; do exclave-guest donate fill --pages 600 && exclave-guest donate keep || exit 1; " + Reload + "done; exclave-guest donate drop; "
            + "exclave-guest stats",
            300);
        Assert.Equal(3, Regex.Count(said, "donate Keep: .*frames 512, runs 1, allocations 1"));
        Assert.Contains("donate Drop: pages 0, given 0, held 0 at 0x0, " + Nothing, said);
        Assert.Matches(@"Hello +Running", said);
    }

    /// <summary>A conclave that is short of memory gets more without a word of its own, as far as was declared; what it does not need goes back by itself.</summary>
    [Fact]
    public async Task WhoIsShortOfMemoryGetsMoreAndGivesItBack()
    {
        string said = await Guest.Require(
            Guest.Usual, "exclave-guest donate grow --pages 1500 && exclave-guest donate keep && exclave-guest donate check --pages 0 && exclave-guest donate drop", 300);
        Match grown = Regex.Match(said, "donate Check: pages 1500, given 0, held ([0-9]+) ");
        Assert.True(grown.Success, said);
        Assert.InRange(int.Parse(grown.Groups[1].Value, CultureInfo.InvariantCulture), 1500 - 256, 1500 + 128);
        Match kept = Regex.Match(said, "donate Check: pages 0, given 0, held ([0-9]+) .*, frames ([0-9]+), ");
        Assert.True(kept.Success, said);
        Assert.Equal(kept.Groups[1].Value, kept.Groups[2].Value);
        // One run may be too large to be missed.
        Assert.InRange(int.Parse(kept.Groups[1].Value, CultureInfo.InvariantCulture), 0, 512);
        Assert.Contains("donate Drop: pages 0, given 0, held 0 at 0x0, " + Nothing, said);
    }

    /// <summary>A .NET conclave of 16 MiB that may have 64 MiB of Linux's: 40 MiB at once are there, 100 MiB are an exception, and nothing is missing in the end.</summary>
    [Fact]
    public async Task ADotnetConclaveGrowsWithinOneCall()
    {
        MachineSpec spec = Guest.Usual with { Addition = "tests/ExclaveKit.Bench/bench.json" };
        string said = await Guest.Require(spec, "exclave-guest conclave grow --mebibytes 40 && ! exclave-guest conclave grow --mebibytes 100", 400);
        Assert.Matches("conclave grow: 40 of 40 MiB, held [0-9]+ MiB of Linux's; all back: " + Nothing, said);
        Assert.Matches("conclave grow: (6[4-9]|7[0-9]) of 100 MiB, held [0-9]+ MiB of Linux's; all back: " + Nothing, said);
    }

    /// <summary>Beyond what was declared nothing comes, and nobody ends for having asked.</summary>
    [Fact]
    public async Task WhatWasNotDeclaredDoesNotCome()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "exclave-guest donate grow --pages 8000; exclave-guest hello --count 1 && exclave-guest donate drop", 300);
        Assert.Contains("out of memory", result.Errors);
        Assert.Contains("donate Drop: pages 0, given 0, held 0 at 0x0, " + Nothing, result.Text);
    }

    [Fact]
    public async Task TheDriverCanLeaveWhileTheMemoryIsUsedAndTheConclaveEnds()
    {
        string said = await Guest.Require(
            Guest.Usual, "exclave-guest donate fill --pages 600; " + Reload + "exclave-guest donate check --pages 600; exclave-guest stats; dmesg | grep -c -i oops; true", 300);
        Assert.Matches(@"sptm\.DonatedFrames +0\n", said);
        Assert.Matches(@"proxy\.Allocations +0\n", said);
        Assert.Matches(@"donate Check: pages 0, ", said);
        Assert.Matches(@"Hello +Running .* 2\n", said);
        Assert.EndsWith("\n0\n", said);
    }

    /// <summary>Linux touches a frame that it gave: it reads zeros, the conclave ends and says why, all else goes on.</summary>
    [Theory, InlineData("kernel"), InlineData("read")]
    public async Task ATouchTakesTheMemoryBack(string access)
    {
        GuestResult result = await Guest.Run(
            Guest.Usual,
            "insmod /lib/modules/exclave_attack.ko; exclave-guest donate fill --pages 600 > /tmp/fill; cat /tmp/fill; "
            + "at=$(sed 's/.* at \\(0x[0-9a-f]*\\),.*/\\1/' /tmp/fill); "
            + $"for i in 0 1 2 3; do exclave-attack touch $(printf 0x%x $((at + i * 4096 + 8))) {access} 8 0 0; done; "
            + "exclave-guest donate check --pages 600; exclave-guest hello --count 1 2>/dev/null; "
            + "exclave-guest stats; exclave-guest stats; sync; echo lives",
            300);
        Assert.True(result.Outcome.ExitStatus == 0, result.Text + result.Errors);
        Assert.Contains("frames 600, runs 2", result.Text);
        Assert.Contains("\n0\n0\n0\n0\n", result.Text);
        Assert.Contains("donate Check: pages 0, ", result.Text);
        Assert.Matches(@"Hello +Running .* 2\n", result.Text);
        Assert.Contains("ended: memory reclaimed", result.Console);
        Assert.Matches(@"sk\.Reclaimed +1\n", result.Text);
        string last = result.Text[result.Text.LastIndexOf("sptm.RefusedAccess", System.StringComparison.Ordinal)..];
        Assert.Matches(@"sptm\.DonatedFrames +0\n", last);
        Assert.Matches(@"proxy\.Allocations +0\n", last);
        Match reclaimed = Regex.Match(last, @"sptm\.ReclaimedFrames +([0-9]+)\n");
        Assert.InRange(int.Parse(reclaimed.Groups[1].Value, CultureInfo.InvariantCulture), 1, 4);
        Assert.EndsWith("lives\n", result.Text);
    }

    /// <summary>Devices reach all of a small machine: nothing can be given, and who asks for more than its own is told so.</summary>
    [Fact]
    public async Task AMachineWithoutMemoryAboveTheWindowGivesNone()
    {
        GuestResult result = await Guest.Run(
            Guest.Usual with { MemoryMib = MachineSpec.MinMemoryMib },
            "exclave-guest donate fill --pages 100; exclave-guest donate drop; exclave-guest donate fill --pages 600; exclave-guest donate drop",
            300);
        Assert.Contains("donate Fill: pages 100, given 0, held 0", result.Text);
        Assert.Contains("out of memory", result.Errors);
        Assert.Contains("donate Drop: pages 0, given 0, held 0 at 0x0, " + Nothing, result.Text);
    }
}
