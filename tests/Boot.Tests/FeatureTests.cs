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

    [Fact]
    public async Task TheBookSaysWhatAConclaveSays()
    {
        await Guest.Publish(Addition);
        GuestResult result = await Guest.Run(
            Guest.Usual with { Addition = Addition }, "exclave-guest invoke --service 2d95c8f4-7b16-4ea3-b0c9-e61f84a3d750 --operation 1 && exclavectl log --source Features", 300);
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        string book = await File.ReadAllTextAsync(Path.Combine(Workspace.Find().Root, "docs", "book", "what-works.md"));
        Assert.Equal(Pairs(Row().Matches(book)), Pairs(Line().Matches(result.Text)));
    }

    private static string[] Pairs(MatchCollection matches) => [.. matches.Select(match => $"{match.Groups[1].Value}: {match.Groups[2].Value}")];

    [GeneratedRegex(@"^\| (.+) \| (\w+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"feature: (.+): (\w+)\r?$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
