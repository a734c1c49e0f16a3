using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.LogServer.Tests;

/// <summary>The ring, its fairness, and what readers see of it.</summary>
public class BookTests
{
    [Fact]
    public void ARecordHasItsSourceFromTheBadgeAlone()
    {
        TestBook book = new(8);
        Assert.Equal(Status.Ok, book.Say(3, LogSeverity.Warning, "Signer: not me"));
        LogLine line = Assert.Single(book.Read());
        Assert.Equal((1ul, LogSeverity.Warning, "c3", "Signer: not me"), (line.Sequence, line.Level, line.Source, line.Text));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(97ul)]
    [InlineData(ulong.MaxValue)]
    public void ABadgeThatIsNoComponentIsRefused(ulong badge)
    {
        TestBook book = new(8);
        Assert.Equal(Status.Denied, book.Send(new MessageHeader { Badge = badge, Length = 1, Word0 = 3 }, "x"));
        Assert.Empty(book.Read());
    }

    [Theory]
    [InlineData(0ul, 1u)]
    [InlineData(7ul, 1u)]
    [InlineData(0x1_0000_0003ul, 1u)]
    [InlineData(3ul, 0u)]
    [InlineData(3ul, 2u)] // longer than the body
    public void AWrongLevelOrLengthIsRefused(ulong level, uint length)
    {
        TestBook book = new(8);
        Assert.Equal(Status.BadArgument, book.Send(new MessageHeader { Badge = 1, Length = length, Word0 = level }, "x"));
        Assert.Empty(book.Read());
    }

    [Fact]
    public void AProductionBookNeverHoldsAPrivatePart()
    {
        TestBook book = new(8) { Redacts = true };
        book.Say(1, LogSeverity.Error, "pin \u000e4711\u000f");
        Assert.Equal("pin <private>", Assert.Single(book.Read()).Text);
        Assert.DoesNotContain("4711", book.Memory, StringComparison.Ordinal);
    }

    [Fact]
    public void TimesAreTheCountersAndNeverGoBack()
    {
        TestBook book = new(8) { Now = 62_500_000 * 10ul };
        book.Say(1, LogSeverity.Error, "now", ticks: 62_500_000 * 9ul);
        book.Say(2, LogSeverity.Error, "earlier, it says", ticks: 0);
        book.Say(2, LogSeverity.Error, "later than now, it says", ticks: ulong.MaxValue);
        Assert.Equal([9_000_000ul, 9_000_000, 10_000_000], book.Read().Select(l => l.Microseconds));
    }

    [Fact]
    public void AFullBookDropsTheOldestAndTheReaderLearnsHowMany()
    {
        TestBook book = new(4);
        for (int i = 1; i <= 10; i++)
        {
            book.Say(1, LogSeverity.Error, $"{i}");
        }

        Assert.Equal(["7", "8", "9", "10"], book.Read(out ulong lost).Select(l => l.Text));
        Assert.Equal(6ul, lost);
    }

    /// <summary>The oldest of the whole book would be the quiet ones' only words.</summary>
    [Fact]
    public void WhoFloodsPushesOutItsOwn()
    {
        TestBook book = new(100);
        for (int i = 0; i < 30; i++)
        {
            book.Say(2, LogSeverity.Information, $"quiet {i}");
        }

        book.Say(3, LogSeverity.Information, "once");
        for (int i = 0; i < 100_000; i++)
        {
            book.Say(1, LogSeverity.Critical, $"flood {i}");
        }

        List<LogLine> lines = book.Read();
        Assert.Equal((30, 1, 69), (lines.Count(l => l.Source == "c2"), lines.Count(l => l.Source == "c3"), lines.Count(l => l.Source == "c1")));
        Assert.Equal("flood 99999", lines[^1].Text);
    }

    [Fact]
    public void AReaderGoesOnWhereItWasAndSeesWhatItMissed()
    {
        TestBook book = new(4);
        book.Say(1, LogSeverity.Error, "a");
        book.Say(1, LogSeverity.Error, "b");
        Assert.Equal(2ul, book.ReadAfter(0, LogSeverity.Trace, 4096, out _).Last);
        Assert.Equal((2ul, 0ul), (book.ReadAfter(2, LogSeverity.Trace, 4096, out List<LogLine> none).Last, (ulong)none.Count));
        for (int i = 0; i < 7; i++)
        {
            book.Say(1, LogSeverity.Error, $"{i}");
        }

        (ulong last, ulong lost) = book.ReadAfter(2, LogSeverity.Trace, 4096, out List<LogLine> lines);
        Assert.Equal((9ul, 3ul), (last, lost));
        Assert.Equal(["3", "4", "5", "6"], lines.Select(l => l.Text));

        // A reader who claims to have read what is not yet written gets nothing, and its place.
        Assert.Equal((9ul, 0ul), book.ReadAfter(ulong.MaxValue, LogSeverity.Trace, 4096, out lines));
        Assert.Empty(lines);
    }

    [Fact]
    public void RoomForNotEvenOneRecordIsAnError()
    {
        TestBook book = new(4);
        book.Say(1, LogSeverity.Error, "text");
        Assert.Equal(Status.TooBig, book.TryRead(0, LogSeverity.Trace, new byte[16], out int bytes, out ulong last, out _));
        Assert.Equal((0, 0ul), (bytes, last));
    }

    /// <summary>Against a list that does the same the slow way: whoever writes and reads, in whatever order.</summary>
    [Fact]
    public void ABookIsTheListThatItSeemsToBe() =>
        Gen.Select(Gen.Int[4, 12], Gen.Select(Gen.Int[1, 3], Gen.Int[1, 6], Gen.Bool).Array[0, 200]).Sample((slots, steps) =>
        {
            TestBook book = new(slots);
            List<(ulong Sequence, int Source, LogSeverity Level)> model = [];
            ulong sequence = 0;
            ulong read = 0;
            foreach ((int source, int level, bool reads) in steps)
            {
                if (model.Count == slots)
                {
                    int[] counts = [.. Enumerable.Range(0, 4).Select(s => model.Count(m => m.Source == s) + (s == source ? 1 : 0))];
                    int victim = counts[source] == counts.Max() ? source : Array.IndexOf(counts, counts.Max());
                    model.RemoveAt(model.FindIndex(m => m.Source == victim));
                }

                model.Add((++sequence, source, (LogSeverity)level));
                Assert.Equal(Status.Ok, book.Say((ulong)source, (LogSeverity)level, $"{sequence}"));
                if (!reads)
                {
                    continue;
                }

                (ulong last, ulong lost) = book.ReadAfter(read, LogSeverity.Warning, 80, out List<LogLine> lines);
                (ulong Sequence, int Source, LogSeverity Level)[] between = [.. model.Where(m => m.Sequence > read && m.Sequence <= last)];
                Assert.Equal(between.Where(m => m.Level >= LogSeverity.Warning).Select(m => (m.Sequence, m.Level)), lines.Select(l => (l.Sequence, l.Level)));
                Assert.Equal(last - read - (ulong)between.Length, lost);
                read = last;
            }

            Assert.Equal(model.Select(m => m.Sequence), book.Read().Select(l => l.Sequence));
        });
}
