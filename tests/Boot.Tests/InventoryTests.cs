using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>What the secure world says that it has.</summary>
public class InventoryTests
{
    [Fact]
    public async Task EverythingWithANameAndAllMemoryIsListed()
    {
        string said = await Guest.Require(Guest.Usual, "exclave-guest stats && exclave-guest hello --count 1 > /dev/null && exclave-guest stats && exclave-guest donate fill --pages 600 > /dev/null && exclave-guest resources && exclave-guest memory");
        Assert.Matches(@"(?m)^org\.exclaves\.hello +org\.exclaves\.conclave\.Hello +Service +1 +0 6f9a3c1e-0d52-4b7a-9c55-2b1d6e0f4a10$", said);
        Assert.Matches(@"(?m)^Entropy +org\.exclaves\.kernel +Component +2 +1$", said);
        Assert.Matches(@"(?m)^Signer +org\.exclaves\.conclave\.Signer +Component +4 +0$", said);
        Assert.Matches(@"(?m)^Hello +1024 +[0-9]+ +[1-9][0-9]+$", said);

        // Boot stage 3 is the first call's; a .NET conclave has not been called here, but could be.
        Assert.Equal(["ExclaveCore", "ExclaveKit"], Regex.Matches(said, @"(?m)^status +(\w+)$").Select(match => match.Groups[1].Value));
        Assert.Matches(@"(?m)^FrameMint +org\.exclaves\.kernel +Component +5 +1$", said);

        // The sums are those of the rows, and fit into the pool.
        MatchCollection rows = Regex.Matches(said, @"(?m)^(\w+|all \d+) +(\d+) +(\d+) +(\d+)$");
        long[] Column(int group, bool isSum) => [.. rows.Where(row => row.Groups[1].Value.StartsWith("all ", System.StringComparison.Ordinal) == isSum)
            .Select(row => long.Parse(row.Groups[group].Value, CultureInfo.InvariantCulture))];
        foreach (int column in (int[])[2, 3, 4])
        {
            Assert.Equal(Column(column, isSum: false).Sum(), Assert.Single(Column(column, isSum: true)));
        }

        long pool = long.Parse(Regex.Match(said, @"pool (\d+) KiB").Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.InRange(Column(2, isSum: true)[0], 1, pool);
        Assert.InRange(pool, 64 * 1024, 128 * 1024);
    }
}
