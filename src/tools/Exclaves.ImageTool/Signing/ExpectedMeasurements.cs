using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Signing;

/// <summary>What SPTM will measure when it boots an image, for people and for those who check an attestation.</summary>
public sealed class ExpectedMeasurements
{
    private readonly List<(PartKind Kind, string Name, Digest Digest)> _entries = [];

    private ExpectedMeasurements()
    {
    }

    /// <summary>In the order of the measurement log.</summary>
    public IReadOnlyList<(PartKind Kind, string Name, Digest Digest)> Entries => _entries;

    /// <summary>The value that the log's register ends with, in hexadecimal.</summary>
    public string Extended
    {
        get
        {
            byte[] register = new byte[Digest.Bytes];
            foreach ((PartKind _, string _, Digest digest) in _entries)
            {
                register = SHA256.HashData([.. register, .. (ReadOnlySpan<byte>)digest]);
            }

            return Convert.ToHexStringLower(register);
        }
    }

    /// <summary>Parts whose digest is not what the manifest says.</summary>
    public IReadOnlyList<string> Differences { get; private set; } = [];

    public bool IsSignatureValid { get; private set; }

    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static ExpectedMeasurements Of(string file)
    {
        using ImageFile image = ImageFile.Open(file, FileAccess.Read);
        ImageManifest manifest = image.Manifest;
        TrustRoot root = image.Root;
        ExpectedMeasurements expected = new();
        Digest signed = image.Hash(Virt.ManifestBase, ImageManifest.SignedBytes);
        PublicKey key = TrustRoots.KeyFor(root, manifest.Signer);
        expected.IsSignatureValid = SigningKey.Verify(key, signed, image.Signature());

        expected._entries.Add((PartKind.Sptm, "", image.Hash(Virt.SptmBase, root.MonitorBytes)));
        expected._entries.Add((PartKind.Txm, "", image.Hash(Virt.TxmBase, Virt.TxmSlotBytes)));
        expected._entries.Add((PartKind.Manifest, "", signed));
        List<string> differences = [];
        Digest txm = expected._entries[1].Digest;
        if (!((ReadOnlySpan<byte>)txm).SequenceEqual(root.Txm))
        {
            differences.Add("TXM");
        }

        for (int i = 0; i < (int)manifest.PartCount; i++)
        {
            ManifestPart part = manifest.Parts[i];
            Digest digest = image.Hash(part.Base, part.Bytes);
            string name = Names.Of(part.Name);
            if (!((ReadOnlySpan<byte>)digest).SequenceEqual(part.Digest))
            {
                differences.Add(Describe(part.Kind, name));
            }

            if (part.Kind != PartKind.Txm)
            {
                expected._entries.Add((part.Kind, name, digest));
            }
        }

        expected._entries.Add((PartKind.Kernel, "", image.Hash(manifest.Header.KernelBase, manifest.Header.KernelBytes)));
        expected._entries.Add((PartKind.Initramfs, "", image.Hash(manifest.Header.InitramfsBase, manifest.Header.InitramfsBytes)));
        expected.Differences = differences;
        return expected;
    }

    /// <summary>As SPTM names it.</summary>
    public static string Describe(PartKind kind, string name) => kind switch
    {
        PartKind.SecureKernel => "SK",
        PartKind.Header => "image header",
        PartKind.BootArguments => "kernel command line",
        PartKind.Txm => "TXM",
        PartKind.Tables => "component tables",
        PartKind.Kit => "ExclaveKit",
        PartKind.Component => $"component {name}",
        PartKind.Conclave => $"conclave {name}",
        PartKind.Padding => "padding",
        PartKind.Sptm => "SPTM",
        PartKind.Manifest => "manifest",
        PartKind.Kernel => "Linux kernel (not judged)",
        PartKind.Initramfs => "initramfs (not judged)",
        _ => $"part of unknown kind {(uint)kind}",
    };
}
