using System;
using System.IO;
using System.Linq;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>The command's bytes come through unchanged, however they are cut, and the marker never does.</summary>
public class GuestStreamTests
{
    private const string Marker = "AABAAC";

    public static TheoryData<string> Contents() => ["", "x", "AAB", "AABAABAA", "AABAAAABAA", "a\nb\0c", "AABAA\n"];

    [Theory, MemberData(nameof(Contents))]
    public void EveryCutGivesTheSameAnswer(string content)
    {
        string all = content + Marker + " exit 3\n";
        for (int first = 0; first <= all.Length; first++)
        {
            for (int second = first; second <= all.Length; second++)
            {
                GuestStream stream = new(Marker);
                string passed = string.Concat(new[] { all[..first], all[first..second], all[second..] }.Select(part => Take(stream, part)));
                Assert.Equal(content, passed);
                Assert.Equal("exit 3", stream.Verdict);
                Assert.Empty(stream.TakeRest());
            }
        }
    }

    [Fact]
    public void AStreamThatEndsEarlyGivesWhatWasHeldBack()
    {
        GuestStream stream = new(Marker);
        Assert.Equal("out", Take(stream, "outAAB"));
        Assert.Null(stream.Verdict);
        Assert.Equal("AAB"u8.ToArray(), stream.TakeRest());
    }

    [Fact]
    public void BytesThatCannotBeTheMarkerPassAtOnce() => Assert.Equal("line\n", Take(new GuestStream(Marker), "line\n"));

    [Fact]
    public void AVerdictWithoutAnEndIsCut()
    {
        GuestStream stream = new(Marker);
        Take(stream, Marker + new string('y', 10_000));
        Assert.NotNull(stream.Verdict);
        Assert.True(stream.Verdict.Length < 1000);
    }

    private static string Take(GuestStream stream, string part) =>
        new([.. stream.Take([.. part.Select(letter => (byte)letter)]).Select(value => (char)value)]);
}
