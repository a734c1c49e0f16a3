using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Cli;
using Exclaves.Cli.Machine;
using Exclaves.ImageTool.Signing;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The real machine with images that somebody changed. tests/SecureBoot.Tests flips the rest on ordinary .NET.</summary>
public class SecureBootTests
{
    private const string Look = "test ! -e /dev/tee0 && test ! -d /proc/device-tree/firmware/optee && cat /proc/device-tree/firmware/exclaves/*status | od -An -tx1 && exclave-sign sign /init --signature /tmp/s --public /tmp/p";

    /// <summary>One bit of the image's file, and what the monitor must say. SPTM's slot behind its file is not SPTM, so it counts as well.</summary>
    public static TheoryData<string, string> Flips => new()
    {
        { "SPTM's slot", "the rest of SPTM's slot is not zero" },
        { "SPTM's bss", "the rest of SPTM's slot is not zero" },
        { "SK's text", "SK does not match its digest" },
        { "SK's slot", "SK does not match its digest" },
        { "header", "the image header does not match its digest" },
        { "manifest", "the signature of the manifest is not valid" },
        { "signature", "the signature of the manifest is not valid" },
        { "TXM", "TXM does not match the digest pinned in SPTM" },
        { "component", "component 'XnuProxy' does not match its digest" },
        { "conclave", "conclave 'Signer' does not match its digest" },
        { "padding", "the padding after the last component does not match its digest" },
    };

    [Theory]
    [MemberData(nameof(Flips))]
    public async Task OneFlippedBitRefusesTheSecureWorldAndLinuxComesUp(string place, string reason) =>
        await Refuses(Guest.Product, path => Flip(path, place), reason);

    /// <summary>The control of all of these: the same image, unflipped, boots, and the machine measured what the tool says.</summary>
    [Fact]
    public async Task AWholeImageBootsAndItsMeasurementsAreTheExpectedOnes()
    {
        string expected = "";
        GuestResult result = await Guest.Run(
            Guest.Product, "test -c /dev/tee0 && exclave-guest hello --count 1 --processes 1", alter: path => expected = ExpectedMeasurements.Of(path).Extended);
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Errors}");
        Assert.Contains($" measurements, debug signer, log {expected}", result.Console, StringComparison.Ordinal);
    }

    /// <summary>Keys apart: a production monitor boots what production signed, and not what a developer signed over it.</summary>
    [Fact]
    public async Task AProductionMonitorBootsProductionImagesAlone()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclave-keys-");
        try
        {
            string file = Path.Combine(folder.FullName, "production.pem");
            using (SigningKey made = SigningKey.LoadOrCreateDeveloper(file))
            {
                MachineSpec production = Guest.Product with { ProductionKey = file };
                GuestResult result = await Guest.Run(production, "test -c /dev/tee0");
                Assert.Equal(0, result.Outcome.ExitStatus);
                Assert.Contains(" measurements, production signer, log ", result.Console, StringComparison.Ordinal);
                await Refuses(production, path => ImageSigner.Sign(path, made), "the image is signed with a debug key, and this SPTM is a production one");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A TXM that is SPTM's own (pinned, signed) and bad: it can neither hang the machine, nor reach beyond its slot, nor vouch without work.</summary>
    [Theory]
    [InlineData("hangs", "TXM did not answer in time", "vector 1", 0x14000000u)] // b .
    [InlineData("reads SPTM", "TXM faulted", "vector 0 esr 0x93", 0xD2A80401u, 0xF9400022u)] // mov x1, #0x40200000; ldr x2, [x1]
    [InlineData("writes the manifest", "TXM faulted", "vector 0 esr 0x93", 0xF9400401u, 0xF9000022u)] // ldr x1, [x0, #8] (the request names it); str x2, [x1]
    [InlineData("writes its text", "TXM faulted", "vector 0 esr 0x93", 0x10000001u, 0xF9000022u)] // adr x1, .; str x2, [x1]
    [InlineData("runs its stack", "TXM faulted", "vector 0 esr 0x82", 0xD10043E1u, 0xD61F0020u)] // sub x1, sp, #16; br x1
    [InlineData("asks for something else", "TXM faulted", "vector 0 esr 0x56", 0xD4000021u)] // svc #1
    [InlineData("vouches unseen", "TXM's answer is none", "", 0xF9400401u, 0xF9400022u, 0xD2800020u, 0xD2C00030u, 0xD4000001u)] // ldr x1, [x0, #8]; ldr x2, [x1]; mov x0, #1; mov x16, #1 << 32; svc #0
    public async Task ABadTxmRefusesTheSecureWorldAndLinuxComesUp(string what, string reason, string fault, params uint[] code)
    {
        string file = Workspace.Find().DeveloperKey;
        GuestResult result = await Refuses(Guest.Product, path => ReplaceTxm(path, code, file), reason);
        Assert.True(fault.Length == 0 || result.Console.Contains("TXM: " + fault, StringComparison.Ordinal), $"{what}:\n{result.Console}");
    }

    private static void ReplaceTxm(string path, uint[] code, string keyFile)
    {
        using (FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Position = (long)(Virt.TxmBase - Virt.ImageBase);
            stream.Write(MemoryMarshal.AsBytes<uint>(code));
        }

        using SigningKey key = SigningKey.LoadOrCreateDeveloper(keyFile);
        using (ImageFile image = ImageFile.Open(path, FileAccess.ReadWrite))
        {
            image.Write(image.Root with { Txm = image.Hash(Virt.TxmBase, Virt.TxmSlotBytes) });
        }

        ImageSigner.Sign(path, key);
    }

    private static async Task<GuestResult> Refuses(MachineSpec spec, Action<string> alter, string reason)
    {
        GuestResult result = await Guest.Run(spec, Look, alter: alter);
        Assert.True(result.Outcome.Failure == null, $"{result.Outcome.Failure}\n{result.Console}");
        Assert.Contains($"SPTM: secure boot: {reason}", result.Console, StringComparison.Ordinal);
        Assert.Equal(reason, result.Outcome.Console.NoSecureWorld);
        Assert.Equal("00 00 00 01", result.Text.Trim());
        Assert.Contains($"there is no secure world, since secure boot refused the image: {reason}", result.Errors, StringComparison.Ordinal);
        Assert.Equal(1, result.Outcome.ExitStatus);
        return result;
    }

    private static void Flip(string path, string place)
    {
        ulong address;
        using (ImageFile image = ImageFile.Open(path, FileAccess.Read))
        {
            ImageManifest manifest = image.Manifest;
            IEnumerable<ManifestPart> parts = Enumerable.Range(0, (int)manifest.PartCount).Select(i => manifest.Parts[i]);
            address = place switch
            {
                "SPTM's slot" => Virt.SptmBase + Virt.SptmSlotBytes - 1,
                "SPTM's bss" => Virt.SptmBase + image.Root.MonitorBytes + 0x234,
                "SK's text" => Virt.SkBase + 0x123,
                "SK's slot" => Virt.SkBase + Virt.SkSlotBytes - 1,
                "header" => Virt.ImageHeaderBase + 0x30,
                "manifest" => Virt.ManifestBase + 0x40,
                "signature" => Virt.ManifestBase + ImageManifest.SignedBytes + 7,
                "TXM" => Virt.TxmBase + 0x1234,
                "component" => parts.First(part => part.Kind == PartKind.Component).Base + 0x100,
                "conclave" => Last(parts.Last(part => part.Kind == PartKind.Conclave)),
                "padding" => parts.Single(part => part.Kind == PartKind.Padding).Base + 5,
                _ => throw new ArgumentException(place),
            };
        }

        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = (long)(address - Virt.ImageBase);
        int before = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(before ^ 0x10));

        static ulong Last(in ManifestPart part) => part.Base + part.Bytes - 1;
    }
}
