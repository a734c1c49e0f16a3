using System;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.ImageTool.Signing;
using Exclaves.Sptm;
using Exclaves.Txm;

namespace Exclaves.SecureBoot.Tests;

/// <summary>TXM's cryptography from .NET.</summary>
internal readonly struct DotNetCryptography : ICryptography
{
    public static void Hash(ReadOnlySpan<byte> data, out Digest digest)
    {
        digest = default;
        SHA256.HashData(data, digest);
    }

    public static bool Verify(in PublicKey key, in Digest digest, ReadOnlySpan<byte> signature) => SigningKey.Verify(key, digest, signature);
}

/// <summary>An image in memory, as the loader leaves it; and the boot of it, as SPTM and TXM do it, without a machine.</summary>
internal readonly struct LoadedImage : IImageMemory
{
    [ThreadStatic]
    private static byte[]? _bytes;

    public static void Load(byte[] bytes) => _bytes = bytes;

    public static ReadOnlySpan<byte> At(ulong address, ulong bytes) => _bytes.AsSpan((int)(address - Virt.ImageBase), (int)bytes);

    public static TrustRoot Root => System.Runtime.InteropServices.MemoryMarshal.Read<TrustRoot>(At(Virt.SptmBase + TrustRoot.Offset, TrustRoot.SlotBytes));

    /// <summary>What TXM says about the manifest.</summary>
    public static TxmVerdict Ask(in TrustRoot root, out Digest digest)
    {
        TxmRequest request = new()
        {
            Magic = TxmRequest.MagicValue,
            Manifest = Virt.ManifestBase,
            Flags = root.Flags,
            Production = root.Production,
            Debug = root.Debug,
        };
        return ManifestVerifier<DotNetCryptography>.Verify(At(Virt.ManifestBase, Virt.ManifestBytes), request, out digest);
    }

    /// <summary>The whole of it, in SPTM's order.</summary>
    public static Refusal Boot(out MeasurementLog log)
    {
        log = default;
        TrustRoot root = Root;
        ImageJudge<LoadedImage, Sha256Portable>.Measure(ref log, PartKind.Sptm, Virt.SptmBase, root.MonitorBytes);
        if (!BootCopies<LoadedImage, Sha256Portable>.TryChoose(Ram, out ImageHeader header, out _, out _))
        {
            throw new InvalidOperationException("Linux cannot be found");
        }

        Refusal refusal = ImageJudge<LoadedImage, Sha256Portable>.CheckTxm(root, ref log);
        if (!refusal.IsRefused)
        {
            TxmVerdict verdict = Ask(root, out Digest digest);
            refusal = ImageJudge<LoadedImage, Sha256Portable>.CheckVerdict(verdict, digest, ref log);
        }

        return refusal.IsRefused ? refusal : ImageJudge<LoadedImage, Sha256Portable>.CheckParts(header, root.Flags, ref log);
    }

    public const ulong Ram = 0x8000_0000;

    public static string TextOf(in Refusal refusal)
    {
        byte[] buffer = new byte[128];
        LineBuilder line = new(buffer);
        refusal.Format(ref line);
        return System.Text.Encoding.ASCII.GetString(line.Text);
    }
}
