using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Attacks;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Demo;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>A kernel that an attacker owns. Each attack is stopped here and succeeds on a build without the protection.</summary>
public class AttackTests
{
    [Fact]
    public async Task EveryAttackIsStoppedAndSucceedsWithoutTheDefenceItAimsAt()
    {
        (IReadOnlyList<AttackVerdict> verdicts, IReadOnlyList<string> faults) = await Guest.Attack(AttackCatalogue.All);
        Assert.Empty(faults);
        Assert.Empty(verdicts.Where(verdict => !verdict.Passed).Select(verdict => $"{verdict.Name}: {verdict.Problem}"));
    }

    [Fact]
    public async Task ASignatureVerifiesAndAForgedOneDoesNot()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclave-sign-");
        try
        {
            string Name(string file) => Path.Combine(folder.FullName, file);
            File.WriteAllText(Name("message"), "what is signed\n");
            MachineSpec spec = Guest.Usual with { Share = folder.FullName };
            await Guest.Require(spec, "cd /share && for i in 1 2; do exclave-sign sign message --signature s$i --public p$i || exit; done");

            SignatureCheck check = new(folder.FullName, CancellationToken.None);
            Assert.True(await check.Verifies(Name("p1"), Name("s1"), Name("message")));
            Assert.True(await check.Verifies(Name("p2"), Name("s2"), Name("message")));
            Assert.False(await check.Verifies(Name("p1"), Name("s2"), Name("message")));
            Assert.False(await check.Verifies(Name("p1"), Name("s1"), check.Change(Name("message"))));
            Assert.False(await check.Verifies(Name("p1"), await check.Forge(Name("message")), Name("message")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
