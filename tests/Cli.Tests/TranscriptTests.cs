using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>Every file in Transcripts: what a person types on a machine that lacks something, and what the tool answers.</summary>
public class TranscriptTests
{
    public static TheoryData<string> Files() =>
        new(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Transcripts"), "*.txt").Select(path => Path.GetFileName(path)).Order());

    [Theory, MemberData(nameof(Files))]
    public async Task TheToolAnswersAsWritten(string file)
    {
        (string expected, string actual) = await Transcript.Read(Path.Combine(AppContext.BaseDirectory, "Transcripts", file)).Play();
        Assert.Equal(expected, actual);
    }
}
