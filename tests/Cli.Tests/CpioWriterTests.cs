using System.IO;
using System.Text;
using Exclaves.Cli.Image;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>The archive as bytes: the format is old, exact, and read by Linux alone.</summary>
public class CpioWriterTests
{
    [Fact]
    public void AnEntryIsAHeaderANameAndPaddedContent()
    {
        using MemoryStream stream = new();
        using (CpioWriter archive = new(stream))
        {
            archive.AddFile("ab", "hello"u8, isExecutable: true);
        }

        string text = Encoding.ASCII.GetString(stream.ToArray());
        string header = "070701" + "00000001" + "000081ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000003" + "00000000";
        Assert.StartsWith(header + "ab\0\0\0\0" + "hello\0\0\0" + "070701", text);
        Assert.Contains("TRAILER!!!\0", text);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "1")]
    [InlineData("ab", "22")]
    [InlineData("abc", "333")]
    [InlineData("a/much/longer/name", "a longer content")]
    public void EveryPartStartsAtAMultipleOfFour(string name, string content)
    {
        using MemoryStream stream = new();
        using (CpioWriter archive = new(stream))
        {
            archive.AddFile(name, Encoding.ASCII.GetBytes(content));
            archive.AddLink(name + "x", content);
        }

        string text = Encoding.ASCII.GetString(stream.ToArray());
        Assert.Equal(0, stream.Length % 4);
        for (int at = text.IndexOf("070701"); at >= 0; at = text.IndexOf("070701", at + 1))
        {
            Assert.Equal(0, at % 4);
        }
    }

    [Fact]
    public void TwoArchivesInOneStreamAreAligned()
    {
        using MemoryStream stream = new();
        for (int i = 0; i < 2; i++)
        {
            using CpioWriter archive = new(stream);
            archive.AddFile("f", "12345"u8);
        }

        Assert.Equal(0, stream.Length % 4);
    }
}
