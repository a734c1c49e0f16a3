using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.ImageTool.Signing;
using Exclaves.ImageTool.Tests;
using Exclaves.Sptm;
using Xunit;

namespace Exclaves.SecureBoot.Tests;

/// <summary>Whole images through the monitor's own checks, on ordinary .NET: what is whole boots, what is not is refused by its name.</summary>
public sealed class BootModelTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly byte[] _image;

    public BootModelTests()
    {
        _image = _workshop.Build();
        LoadedImage.Load(_image);
    }

    private ImageManifest Manifest => MemoryMarshal.Read<ImageManifest>(_image.AsSpan(Offset(Virt.ManifestBase)));

    [Fact]
    public void AWholeImageBootsAndItsLogIsWhatTheToolExpects()
    {
        Assert.Equal(RefusalReason.None, LoadedImage.Boot(out MeasurementLog log).Reason);
        ImageHeader header = Manifest.Header;
        ImageJudge<LoadedImage, Sha256Portable>.Measure(ref log, PartKind.Kernel, header.KernelBase, header.KernelBytes);
        ImageJudge<LoadedImage, Sha256Portable>.Measure(ref log, PartKind.Initramfs, header.InitramfsBase, header.InitramfsBytes);

        ExpectedMeasurements expected = ExpectedMeasurements.Of(_workshop.Output);
        Assert.Equal(SignerKind.Debug, log.Signer);
        Assert.Equal(expected.Entries.Select(e => (e.Kind, e.Name)), Entries(log).Select(e => (e.Kind, NameOf(e.Name))));
        Assert.Equal(expected.Extended, Convert.ToHexStringLower(log.Extended));
        Assert.Empty(expected.Differences);
        Assert.True(expected.IsSignatureValid);
    }

    [Fact]
    public void ThePartsLeaveNoByteOut()
    {
        ImageManifest manifest = Manifest;
        byte[] covered = new byte[manifest.Header.SecureEnd - Virt.SkBase];
        for (int i = 0; i < (int)manifest.PartCount; i++)
        {
            foreach (ref byte count in covered.AsSpan((int)(manifest.Parts[i].Base - Virt.SkBase), (int)manifest.Parts[i].Bytes))
            {
                count++;
            }
        }

        foreach (ref byte count in covered.AsSpan((int)(Virt.ManifestBase - Virt.SkBase), (int)Virt.ManifestBytes))
        {
            count++;
        }

        Assert.True(covered.AsSpan().IndexOfAnyExcept((byte)1) < 0);
    }

    /// <summary>With the test above: what of a part is flipped does not matter to a digest, so its edges and some of its middle stand for all.</summary>
    [Fact]
    public void OneFlippedBitInAnyPartIsRefusedByThePartsName()
    {
        Random random = new(3);
        ImageManifest manifest = Manifest;
        for (int i = 0; i < (int)manifest.PartCount; i++)
        {
            ManifestPart part = manifest.Parts[i];
            ulong[] places = [0, part.Bytes - 1, (ulong)random.NextInt64((long)part.Bytes), (ulong)random.NextInt64((long)part.Bytes)];
            foreach (ulong place in places)
            {
                int at = Offset(part.Base + place);
                byte bit = (byte)(1 << random.Next(8));
                _image[at] ^= bit;
                Refusal refusal = LoadedImage.Boot(out MeasurementLog log);
                _image[at] ^= bit;
                string name = ExpectedName(part);
                Assert.StartsWith(name, LoadedImage.TextOf(refusal));
                Assert.Equal(MeasurementResult.Refused, log.Entries[(int)log.EntryCount - 1].Result);
                Assert.Equal(SignerKind.None, log.Signer);
            }
        }
    }

    /// <summary>Every byte of the manifest's place, signature included.</summary>
    [Fact]
    public void OneFlippedBitAnywhereInTheManifestIsRefused()
    {
        TrustRoot root = LoadedImage.Root;
        HashSet<TxmVerdict> seen = [];
        for (int i = 0; i < (int)Virt.ManifestBytes; i++)
        {
            int at = Offset(Virt.ManifestBase) + i;
            byte bit = (byte)(1 << (i % 8));
            _image[at] ^= bit;
            seen.Add(LoadedImage.Ask(root, out _));
            _image[at] ^= bit;
        }

        Assert.Equal([TxmVerdict.BadSignature, TxmVerdict.NoKey, TxmVerdict.Malformed], seen.Order());
    }

    /// <summary>Linux boots by the copy that is whole, whichever bit of either is flipped.</summary>
    [Fact]
    public void OneFlippedBitNeverMisleadsLinux()
    {
        ImageHeader whole = MemoryMarshal.Read<ImageHeader>(_image.AsSpan(Offset(Virt.ImageHeaderBase)));
        string arguments = "console=ttyAMA0";
        foreach ((ulong start, int bytes) in new[]
        {
            (Virt.ImageHeaderBase, Unsafe.SizeOf<ImageHeader>()), (Virt.BootArgumentsBase, 64), (Virt.ManifestBase, Unsafe.SizeOf<ImageManifest>()),
        })
        {
            // Every byte of what decides; digests of other parts and the tail of the command line by samples.
            for (int i = 0; i < bytes; i += i < 600 ? 1 : 13)
            {
                int at = Offset(start) + i;
                byte bit = (byte)(1 << (i % 8));
                _image[at] ^= bit;
                Assert.True(BootCopies<LoadedImage, Sha256Portable>.TryChoose(LoadedImage.Ram, out ImageHeader header, out _, out _), $"{start:x}+{i}");
                ReadOnlySpan<byte> line = BootCopies<LoadedImage, Sha256Portable>.BootArguments(header);
                Assert.Equal(arguments, System.Text.Encoding.ASCII.GetString(line));
                Assert.True(
                    MemoryMarshal.AsBytes(new ReadOnlySpan<ImageHeader>(in header)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<ImageHeader>(in whole))),
                    $"{start:x}+{i}");
                _image[at] ^= bit;
            }
        }
    }

    [Fact]
    public void GarbageInBothCopiesIsRefusedAndNotFollowed()
    {
        _image.AsSpan(Offset(Virt.ImageHeaderBase), 4096).Fill(0xFF);
        _image.AsSpan(Offset(Virt.ManifestBase), (int)Virt.ManifestBytes).Fill(0xFF);
        Assert.False(BootCopies<LoadedImage, Sha256Portable>.TryChoose(LoadedImage.Ram, out _, out _, out ReadOnlySpan<byte> rule));
        Assert.False(rule.IsEmpty);
    }

    [Fact]
    public void AnotherKeysSignatureIsRefused()
    {
        using SigningKey stranger = SigningKey.Create(SignerKind.Debug);
        ImageSigner.Sign(_workshop.Output, stranger);
        LoadedImage.Load(File.ReadAllBytes(_workshop.Output));
        Assert.Equal(RefusalReason.Signature, LoadedImage.Boot(out _).Reason);

        // The control: a monitor that trusts that key boots it.
        ImageSigner.Enroll(_workshop.Output, stranger);
        LoadedImage.Load(File.ReadAllBytes(_workshop.Output));
        Assert.Equal(RefusalReason.None, LoadedImage.Boot(out _).Reason);
    }

    [Fact]
    public void AProductionMonitorRefusesTheDebugKeyAndADebugOneProduction()
    {
        using SigningKey production = SigningKey.Create(SignerKind.Production);
        ImageSigner.Enroll(_workshop.Output, production);
        LoadedImage.Load(File.ReadAllBytes(_workshop.Output));
        Assert.Equal(RefusalReason.DebugKey, LoadedImage.Boot(out _).Reason);

        ImageSigner.Sign(_workshop.Output, production);
        LoadedImage.Load(File.ReadAllBytes(_workshop.Output));
        Assert.Equal(RefusalReason.None, LoadedImage.Boot(out MeasurementLog log).Reason);
        Assert.Equal(SignerKind.Production, log.Signer);

        ImageSigner.Enroll(_workshop.Output, _workshop.Key);
        LoadedImage.Load(File.ReadAllBytes(_workshop.Output));
        Assert.Equal(RefusalReason.NoKey, LoadedImage.Boot(out _).Reason);
    }

    /// <summary>Even when TXM were to vouch for it: SPTM looks at the kind of signer itself.</summary>
    [Fact]
    public void TheMonitorItselfRefusesADebugImageInProduction()
    {
        MeasurementLog log = default;
        log.EntryCount = 2;
        Refusal refusal = ImageJudge<LoadedImage, Sha256Portable>.CheckParts(Manifest.Header, TrustFlags.Production, ref log);
        Assert.Equal(RefusalReason.DebugKey, refusal.Reason);
    }

    [Fact]
    public void AnAnswerCountsOnlyForTheBytesThatLieThere()
    {
        TxmVerdict verdict = LoadedImage.Ask(LoadedImage.Root, out Digest digest);
        Assert.Equal(TxmVerdict.Verified, verdict);
        Assert.Equal(RefusalReason.None, Judge(verdict, digest));
        Assert.Equal(RefusalReason.TxmAnswer, Judge(verdict, default));
        Assert.Equal(RefusalReason.TxmAnswer, Judge(TxmVerdict.None, digest));
        Assert.Equal(RefusalReason.TxmAnswer, Judge((TxmVerdict)6, digest));
        Assert.Equal(RefusalReason.TxmAnswer, Judge((TxmVerdict)ulong.MaxValue, digest));
        Assert.Equal(RefusalReason.Signature, Judge(TxmVerdict.BadSignature, digest));
        Assert.Equal(RefusalReason.DebugKey, Judge(TxmVerdict.DebugRefused, digest));

        static RefusalReason Judge(TxmVerdict verdict, in Digest digest)
        {
            MeasurementLog log = default;
            return ImageJudge<LoadedImage, Sha256Portable>.CheckVerdict(verdict, digest, ref log).Reason;
        }
    }

    [Fact]
    public void AMonitorWithoutRootRefuses()
    {
        MeasurementLog log = default;
        foreach (TrustRoot root in new TrustRoot[]
        {
            default,
            LoadedImage.Root with { Version = 2 },
            LoadedImage.Root with { TxmTextPages = 0 },
            LoadedImage.Root with { TxmTextPages = uint.MaxValue },
            LoadedImage.Root with { TxmRodataPages = 25 },
        })
        {
            Assert.Equal(RefusalReason.TrustRoot, ImageJudge<LoadedImage, Sha256Portable>.CheckTxm(root, ref log).Reason);
        }
    }

    public void Dispose() => _workshop.Dispose();

    private static int Offset(ulong address) => (int)(address - Virt.ImageBase);

    private static IEnumerable<Measurement> Entries(MeasurementLog log) => Enumerable.Range(0, (int)log.EntryCount).Select(i => log.Entries[i]);

    private static string NameOf(Name64 name)
    {
        ReadOnlySpan<byte> bytes = name;
        return System.Text.Encoding.ASCII.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }

    private static string ExpectedName(in ManifestPart part) => part.Kind switch
    {
        PartKind.Txm => "TXM does not match the digest pinned",
        PartKind.SecureKernel => "SK does not match its digest",
        PartKind.Component => $"component '{NameOf(part.Name)}' does not match its digest",
        PartKind.Conclave => $"conclave '{NameOf(part.Name)}' does not match its digest",
        PartKind.Header => "the image header",
        PartKind.BootArguments => "the kernel command line",
        PartKind.Tables => "the component tables",
        PartKind.Kit => "ExclaveKit",
        PartKind.Padding => "the padding",
        _ => "?",
    };
}
