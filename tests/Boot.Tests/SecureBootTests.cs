using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Cli;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Machine;
using Exclaves.ImageTool.Signing;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The real machine with images that somebody changed. tests/SecureBoot.Tests flips the rest on ordinary .NET.</summary>
public class SecureBootTests
{
    private const string Look = "test ! -e /dev/tee0 && test ! -d /proc/device-tree/firmware/optee && cat /proc/device-tree/firmware/exclaves/*status | od -An -tx1 && exclave-sign sign /init --signature /tmp/s --public /tmp/p";

    /// <summary>One bit of the image's file, and what the monitor must say. SPTM's slot behind its file is not SPTM, so it counts as well.</summary>
    public static TheoryData<ImagePlace, string> Flips => new()
    {
        { ImagePlace.MonitorSlot, "the rest of SPTM's slot is not zero" },
        { ImagePlace.MonitorVariables, "the rest of SPTM's slot is not zero" },
        { ImagePlace.KernelText, "SK does not match its digest" },
        { ImagePlace.KernelSlot, "SK does not match its digest" },
        { ImagePlace.Header, "the image header does not match its digest" },
        { ImagePlace.Manifest, "the signature of the manifest is not valid" },
        { ImagePlace.Signature, "the signature of the manifest is not valid" },
        { ImagePlace.Verifier, "TXM does not match the digest pinned in SPTM" },
        { ImagePlace.Component, "component 'XnuProxy' does not match its digest" },
        { ImagePlace.ConclaveEnd, "conclave 'Signer' does not match its digest" },
        { ImagePlace.Padding, "the padding after the last component does not match its digest" },
    };

    [Theory]
    [MemberData(nameof(Flips))]
    public async Task OneFlippedBitRefusesTheSecureWorldAndLinuxComesUp(ImagePlace place, string reason) =>
        await Refuses(Guest.Product, path => ImageChange.Flip(path, place), reason);

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

    /// <summary>What a component reads at secure EL0 is what the image tool says that SPTM will measure, SPTM's own entry first.</summary>
    [Fact]
    public async Task ADeclaredComponentReadsTheMeasurementLog()
    {
        ExpectedMeasurements? expected = null;
        MachineSpec spec = Guest.Product with { Addition = Path.Combine("tests", "attacks", "rogue.json") };
        GuestResult result = await Guest.Run(spec, "insmod /lib/modules/exclave_attack.ko && exclave-attack measurements", alter: path => expected = ExpectedMeasurements.Of(path));
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Errors}");
        MeasurementLog log = MemoryMarshal.Read<MeasurementLog>(Convert.FromHexString(result.Text.Trim()));
        Assert.Equal((MeasurementLog.MagicValue, SignerKind.Debug), (log.Magic, log.Signer));
        Measurement[] entries = [.. Enumerable.Range(0, (int)log.EntryCount).Select(i => log.Entries[i])];
        Assert.Equal(
            expected!.Entries.Select(entry => $"{entry.Kind} {entry.Name} {Convert.ToHexStringLower(entry.Digest)}"),
            entries.Select(entry => $"{entry.Kind} {Encoding.ASCII.GetString(entry.Name).TrimEnd('\0')} {Convert.ToHexStringLower(entry.Digest)}"));
        Assert.Equal(expected.Extended, Convert.ToHexStringLower(log.Extended));
        Assert.All(entries, entry => Assert.Equal(
            entry.Kind is PartKind.Sptm or PartKind.Kernel or PartKind.Initramfs ? MeasurementResult.Measured : MeasurementResult.Verified, entry.Result));
        Assert.Equal(PartKind.Sptm, entries[0].Kind);
        PartKind[] kinds = [.. entries.Select(entry => entry.Kind)];
        Assert.Superset(new HashSet<PartKind> { PartKind.SecureKernel, PartKind.Component, PartKind.Conclave, PartKind.Kit }, new HashSet<PartKind>(kinds));
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
}
