using System;
using System.IO;
using System.Linq;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>Keys, signatures, and whom an image's monitor trusts.</summary>
[SupportedOSPlatform("linux")]
public sealed class SigningTests : IDisposable
{
    private readonly Workshop _workshop = new();

    [Fact]
    public void TheDevelopersKeyIsMadeOnceAndIsItsOwners()
    {
        string file = _workshop.At("keys/developer.pem");
        using SigningKey first = SigningKey.LoadOrCreateDeveloper(file);
        using SigningKey second = SigningKey.LoadOrCreateDeveloper(file);
        Assert.Equal(SignerKind.Debug, first.Kind);
        Assert.Equal(Bytes(first.Public), Bytes(second.Public));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Single(Directory.EnumerateFiles(Path.GetDirectoryName(file)!));
    }

    [Fact]
    public async Task BuildsThatStartTogetherAgreeOnTheKey()
    {
        string file = _workshop.At("keys/developer.pem");
        byte[][] keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            using SigningKey key = SigningKey.LoadOrCreateDeveloper(file);
            return Bytes(key.Public);
        })));
        Assert.All(keys, key => Assert.Equal(keys[0], key));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void WhatIsNoKeyIsRefused(string content) => AssertNoKey(content);

    [Fact]
    public void AKeyOfAnotherCurveOrWithoutItsPrivatePartIsRefused()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        AssertNoKey(other.ExportPkcs8PrivateKeyPem());
        using ECDsa right = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertNoKey(right.ExportSubjectPublicKeyInfoPem());
    }

    [Fact]
    public void AnImageIsSignedForTheMonitorInIt()
    {
        _workshop.Build();
        Assert.True(ExpectedMeasurements.Of(_workshop.Output).IsSignatureValid);
        Assert.True(ImageSigner.IsTrusted(_workshop.Output, _workshop.Key));
        using SigningKey stranger = SigningKey.Create(SignerKind.Debug);
        Assert.False(ImageSigner.IsTrusted(_workshop.Output, stranger));
        ImageSigner.Sign(_workshop.Output, stranger);
        Assert.False(ExpectedMeasurements.Of(_workshop.Output).IsSignatureValid);
        ImageSigner.Sign(_workshop.Output, _workshop.Key);
        Assert.True(ExpectedMeasurements.Of(_workshop.Output).IsSignatureValid);
    }

    /// <summary>A build for production leaves no debug key that anything could be signed with.</summary>
    [Fact]
    public void AProductionImageKnowsNoDebugKey()
    {
        using SigningKey production = SigningKey.Create(SignerKind.Production);
        ImageBuilder.Build(_workshop.Request() with { Key = production });
        using ImageFile image = ImageFile.Open(_workshop.Output, FileAccess.Read);
        Assert.Equal(TrustFlags.Production, image.Root.Flags);
        Assert.Equal(SignerKind.Production, image.Manifest.Signer);
        Assert.True(Bytes(image.Root.Debug).All(b => b == 0));
        Assert.Equal(Bytes(production.Public), Bytes(image.Root.Production));
        Assert.True(ExpectedMeasurements.Of(_workshop.Output).IsSignatureValid);
    }

    [Fact]
    public void InspectionNamesWhatWasTamperedWith()
    {
        byte[] image = _workshop.Build();
        using (ImageFile file = ImageFile.Open(_workshop.Output, FileAccess.Read))
        {
            image[(int)(file.Manifest.Parts[6].Base - Virt.ImageBase)] ^= 1;
        }

        image[(int)(Virt.TxmBase - Virt.ImageBase)] ^= 1;
        File.WriteAllBytes(_workshop.Output, image);
        Assert.Equal(["TXM", "TXM", "component Proxy"], ExpectedMeasurements.Of(_workshop.Output).Differences);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(0x40_2000)]
    public void AFileThatIsNoImageIsRefused(int bytes)
    {
        _workshop.Put("other", new byte[bytes]);
        Assert.Throws<ImageToolException>(() => ImageSigner.Sign(_workshop.At("other"), _workshop.Key));
        Assert.Throws<ImageToolException>(() => ExpectedMeasurements.Of(_workshop.At("other")));
    }

    [Fact]
    public void AMonitorWithoutASlotForItsRootIsRefused()
    {
        byte[] monitor = Workshop.Arm64(0x3000, 0x8000);
        monitor[TrustRoot.Offset] = 0;
        _workshop.Put("sptm.bin", monitor);
        ImageToolException error = Assert.Throws<ImageToolException>(_workshop.Build);
        Assert.Contains("no slot for its root of trust", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATxmThatIsTooLargeOrElsewhereIsRefused()
    {
        _workshop.Put("txm.elf", Workshop.Txm(Virt.TxmSlotBytes).ToArray());
        Assert.Throws<ImageToolException>(_workshop.Build);
        _workshop.Put("txm.elf", Workshop.Component(1).ToArray());
        Assert.Throws<ImageToolException>(_workshop.Build);
    }

    public void Dispose() => _workshop.Dispose();

    private static byte[] Bytes(PublicKey key) => ((ReadOnlySpan<byte>)key).ToArray();

    private void AssertNoKey(string content)
    {
        File.WriteAllText(_workshop.At("key.pem"), content);
        ImageToolException error = Assert.Throws<ImageToolException>(() => SigningKey.Load(_workshop.At("key.pem"), SignerKind.Debug));
        Assert.Contains("must be a private key on P-256", error.Message, StringComparison.Ordinal);
    }
}
