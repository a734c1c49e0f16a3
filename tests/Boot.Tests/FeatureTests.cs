using System;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Exclaves.Cli;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The book's table of what works in a conclave is what a conclave says (tests/Features).</summary>
public partial class FeatureTests
{
    private const string Addition = "tests/Features/features.json";

    private const string Invoke = "exclave-guest invoke --service 2d95c8f4-7b16-4ea3-b0c9-e61f84a3d750 --operation";

    /// <summary>The log is read before the conclave ends, which takes nothing from it: what it has to say of its end is on the console.</summary>
    [Fact]
    public async Task TheBookSaysWhatAConclaveSays()
    {
        await Guest.Publish(Addition);
        GuestResult result = await Guest.Run(
            Guest.Usual with { Addition = Addition }, $"{Invoke} 3; {Invoke} 1 && exclavectl log --source Features && ! {Invoke} 2", 300);
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        string book = await File.ReadAllTextAsync(Path.Combine(Workspace.Find().Root, "docs", "book", "what-works.md"));
        string[] said =
        [
            .. Pairs(Line().Matches(result.Text)),
            $"a call that runs out of memory: {Failure().Match(result.Text).Groups[1].Value}",
            $"stack overflow: {(result.Console.Contains("[Exclaves] crash in Features: stack overflow", StringComparison.Ordinal) ? "ends" : "goes on")}",
        ];
        Assert.Equal(Pairs(Row().Matches(book)), said);

        // What the callers of the last two were told.
        Assert.Contains("invoke: out of memory (0xffff000c from the service)", result.Text, StringComparison.Ordinal);
        Assert.Contains("invoke: the service ended while it worked on the call (0xffff3024 from the secure world)", result.Text, StringComparison.Ordinal);
    }

    private static string[] Pairs(MatchCollection matches) => [.. matches.Select(match => $"{match.Groups[1].Value}: {match.Groups[2].Value}")];

    [GeneratedRegex(@"^\| (.+) \| (\w+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"feature: (.+): (\w+)\r?$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"call failed: System\.(\w+)")]
    private static partial Regex Failure();
}
