using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Demo;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>A kernel that an attacker owns. Each attack is stopped here and succeeds on a build without the protection.</summary>
public class AttackTests
{
    private const string LoadModule = "insmod /lib/modules/exclave_attack.ko && ";

    [Fact]
    public async Task EveryAttackIsStoppedAndSucceedsWithoutTheProtection()
    {
        IReadOnlyList<AttackResult> guarded = await Attack(ImageVariant.Normal, "stopped");
        IReadOnlyList<AttackResult> open = await Attack(ImageVariant.Weak, "succeeds");
        Assert.Empty(AttackTable.Faults(guarded, open));
    }

    [Fact]
    public async Task HostileCallsPastLinuxsDriverAreRefused() => await Guest.Require(Guest.Usual, LoadModule + "exclave-attack driver", 240);

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

    private static async Task<IReadOnlyList<AttackResult>> Attack(ImageVariant variant, string expected)
    {
        GuestResult result = await Guest.Run(Guest.Usual with { Variant = variant }, LoadModule + "exclave-attack memory --expect " + expected, 240);
        Assert.True(result.Outcome.Failure == null, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}");
        List<AttackResult> attacks = [.. result.Text.Split('\n').Select(AttackResult.TryParse).OfType<AttackResult>()];
        Assert.True(result.Outcome.ExitStatus == 0, $"{variant}: {string.Join("\n", attacks.Where(attack => !attack.Ok))}\n{result.Errors}");
        return attacks;
    }
}
