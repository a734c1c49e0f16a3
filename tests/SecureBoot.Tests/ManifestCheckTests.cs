using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.ImageTool.Tests;
using Exclaves.Sptm;
using Exclaves.Txm;
using Xunit;

namespace Exclaves.SecureBoot.Tests;

/// <summary>Manifests with a good signature and one broken rule; and what no manifest can make the checks do.</summary>
public sealed class ManifestCheckTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly byte[] _place;

    private delegate void Damage(ref ImageManifest manifest);

    public ManifestCheckTests()
    {
        byte[] image = _workshop.Build();
        _place = image[(int)(Virt.ManifestBase - Virt.ImageBase)..][..ImageManifest.SignedBytes];
    }

    [Fact]
    public void WhatTheToolWritesIsSound() => Assert.True(ManifestCheck.IsSound(_place));

    [Fact]
    public void AnyOtherLengthIsNot()
    {
        for (int length = 0; length < _place.Length; length += 7)
        {
            Assert.False(ManifestCheck.IsSound(_place.AsSpan(0, length)));
        }

        Assert.False(ManifestCheck.IsSound(new byte[_place.Length + 1]));
        Assert.False(ManifestCheck.IsSound(new byte[_place.Length]));
    }

    [Fact]
    public void EachRuleIsKept()
    {
        Damage[] all =
        [
            (ref ImageManifest m) => m.Magic++,
            (ref ImageManifest m) => m.Version++,
            (ref ImageManifest m) => m.Signer = SignerKind.None,
            (ref ImageManifest m) => m.Signer = (SignerKind)3,
            (ref ImageManifest m) => m.PartCount = 0,
            (ref ImageManifest m) => m.PartCount--,
            (ref ImageManifest m) => m.PartCount++,
            (ref ImageManifest m) => m.PartCount = 5,
            (ref ImageManifest m) => m.PartCount = ImageManifest.MaxParts + 1,
            (ref ImageManifest m) => m.PartCount = uint.MaxValue,
            (ref ImageManifest m) => m.BootArgumentBytes = ImageManifest.MaxBootArgumentBytes + 1,
            (ref ImageManifest m) => m.BootArgumentBytes--,
            (ref ImageManifest m) => m.Header.SecureEnd -= 0x1000,
            (ref ImageManifest m) => m.Header.SecureEnd += 0x20_0000,
            (ref ImageManifest m) => m.Parts[0].Base += 0x1000,
            (ref ImageManifest m) => m.Parts[0].Bytes -= 0x1000,
            (ref ImageManifest m) => m.Parts[0].Kind = PartKind.Padding,
            (ref ImageManifest m) => m.Parts[1].Kind = PartKind.BootArguments,
            (ref ImageManifest m) => m.Parts[2].Bytes += 0x1000,
            (ref ImageManifest m) => m.Parts[3].Kind = PartKind.Tables,
            (ref ImageManifest m) => m.Parts[3].Base = Virt.ManifestBase,
            (ref ImageManifest m) => m.Parts[4].Bytes += 1,
            (ref ImageManifest m) => m.Parts[4].Bytes = 0,
            (ref ImageManifest m) => m.Parts[4].Bytes = ulong.MaxValue & ~0xFFFul,
            (ref ImageManifest m) => m.Parts[5].Bytes += 0x1000,
            (ref ImageManifest m) => m.Parts[5].Base += 0x1000,
            (ref ImageManifest m) => m.Parts[5].Kind = PartKind.None,
            (ref ImageManifest m) => m.Parts[5].Kind = PartKind.Sptm,
            (ref ImageManifest m) => m.Parts[5].Reserved = 1,
            (ref ImageManifest m) => m.Parts[5].Name[0] = (byte)'x',
            (ref ImageManifest m) => m.Parts[6].Name[0] = 0,
            (ref ImageManifest m) => m.Parts[6].Name[1] = (byte)'\n',
            (ref ImageManifest m) => m.Parts[6].Name[63] = 1,
            (ref ImageManifest m) => ((Span<byte>)m.Parts[6].Name).Fill((byte)'x'),
            (ref ImageManifest m) => m.Parts[ImageManifest.MaxParts - 1].Digest[31] = 1,
        ];
        for (int i = 0; i < all.Length; i++)
        {
            byte[] place = (byte[])_place.Clone();
            all[i](ref MemoryMarshal.AsRef<ImageManifest>(place.AsSpan()));
            Assert.False(ManifestCheck.IsSound(place), $"damage {i}");
        }

        byte[] padded = (byte[])_place.Clone();
        padded[^1] = 1;
        Assert.False(ManifestCheck.IsSound(padded));
    }

    /// <summary>Whatever bytes carry a good signature: what is accepted stays within the image and covers it.</summary>
    [Fact]
    public void RandomDamageNeverEscapesTheImage()
    {
        Random random = new(4);
        int sound = 0;
        for (int round = 0; round < 30_000; round++)
        {
            byte[] place = (byte[])_place.Clone();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                place[random.Next(4_000)] ^= (byte)(1 << random.Next(8));
            }

            if (!ManifestCheck.IsSound(place))
            {
                continue;
            }

            sound++;
            ImageManifest manifest = MemoryMarshal.Read<ImageManifest>(place);
            ulong bytes = Virt.ManifestBytes;
            for (int i = 0; i < (int)manifest.PartCount; i++)
            {
                Assert.InRange(manifest.Parts[i].Base, Virt.SkBase, manifest.Header.SecureEnd - manifest.Parts[i].Bytes);
                bytes += manifest.Parts[i].Bytes;
            }

            Assert.Equal(manifest.Header.SecureEnd - Virt.SkBase, bytes);
        }

        // Digests, and header fields that others check, may be anything: so not everything was refused.
        Assert.InRange(sound, 100, 29_000);
    }

    [Fact]
    public void TxmWantsARequestAndNothingBehindTheSignature()
    {
        byte[] place = new byte[Virt.ManifestBytes];
        _place.CopyTo(place, 0);
        TxmRequest request = new() { Magic = TxmRequest.MagicValue, Debug = _workshop.Key.Public };
        Assert.Equal(TxmVerdict.BadSignature, ManifestVerifier<DotNetCryptography>.Verify(place, request, out _));
        Assert.Equal(TxmVerdict.Malformed, ManifestVerifier<DotNetCryptography>.Verify(place, request with { Magic = 0 }, out _));
        Assert.Equal(TxmVerdict.Malformed, ManifestVerifier<DotNetCryptography>.Verify(place.AsSpan(1), request, out _));
        Assert.Equal(TxmVerdict.DebugRefused, ManifestVerifier<DotNetCryptography>.Verify(place, request with { Flags = TrustFlags.Production }, out _));
        Assert.Equal(TxmVerdict.NoKey, ManifestVerifier<DotNetCryptography>.Verify(place, request with { Debug = default, Production = request.Debug }, out _));
        place[^1] = 1;
        Assert.Equal(TxmVerdict.Malformed, ManifestVerifier<DotNetCryptography>.Verify(place, request, out _));
    }

    public void Dispose() => _workshop.Dispose();
}
