using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Measures the image part by part and lays each digest beside the one it must have.</summary>
/// <remarks>Every step answers with a <see cref="Refusal"/>; the first that refuses ends it, and no secure code runs.</remarks>
public static class ImageJudge<TMemory, TBlocks>
    where TMemory : struct, IImageMemory
    where TBlocks : struct, ISha256Blocks
{
    /// <summary>Appends an entry to the log and extends its register.</summary>
    public static void Log(ref MeasurementLog log, PartKind kind, MeasurementResult result, in Name64 name, in Digest digest)
    {
        log.Magic = MeasurementLog.MagicValue;
        if (log.EntryCount < MeasurementLog.MaxEntries)
        {
            log.Entries[(int)log.EntryCount] = new Measurement { Kind = kind, Result = result, Name = name, Digest = digest };
            log.EntryCount++;
        }

        Sha256<TBlocks>.Extend(ref log.Extended, digest);
    }

    /// <summary>Measures what nobody judges.</summary>
    public static void Measure(ref MeasurementLog log, PartKind kind, ulong address, ulong bytes)
    {
        Sha256<TBlocks>.Hash(TMemory.At(address, bytes), out Digest digest);
        Log(ref log, kind, MeasurementResult.Measured, default, digest);
    }

    /// <summary>Before TXM runs: it is the one that SPTM was built for.</summary>
    public static Refusal CheckTxm(in TrustRoot root, ref MeasurementLog log)
    {
        if (root.Magic != TrustRoot.MagicValue || root.Version != TrustRoot.CurrentVersion
            || root.TxmTextPages == 0
            || ((ulong)root.TxmTextPages + root.TxmRodataPages + 2) * FrameTable.PageBytes > Virt.TxmSlotBytes)
        {
            return Refusal.Of(RefusalReason.TrustRoot);
        }

        Sha256<TBlocks>.Hash(TMemory.At(Virt.TxmBase, Virt.TxmSlotBytes), out Digest digest);
        bool matches = ((ReadOnlySpan<byte>)digest).SequenceEqual(root.Txm);
        Log(ref log, PartKind.Txm, matches ? MeasurementResult.Verified : MeasurementResult.Refused, default, digest);
        return matches ? default : Refusal.Of(RefusalReason.TxmDigest);
    }

    /// <summary>After TXM has answered: it vouches for the very bytes that lie there.</summary>
    /// <param name="verified">Digest of what TXM says it verified.</param>
    public static Refusal CheckVerdict(TxmVerdict verdict, in Digest verified, ref MeasurementLog log)
    {
        Sha256<TBlocks>.Hash(TMemory.At(Virt.ManifestBase, ImageManifest.SignedBytes), out Digest digest);
        Refusal refusal = Refusal.Of(verdict switch
        {
            TxmVerdict.Verified when ((ReadOnlySpan<byte>)digest).SequenceEqual(verified) => RefusalReason.None,
            TxmVerdict.BadSignature => RefusalReason.Signature,
            TxmVerdict.Malformed => RefusalReason.SignatureBlock,
            TxmVerdict.NoKey => RefusalReason.NoKey,
            TxmVerdict.DebugRefused => RefusalReason.DebugKey,
            _ => RefusalReason.TxmAnswer,
        });
        Log(ref log, PartKind.Manifest, refusal.IsRefused ? MeasurementResult.Refused : MeasurementResult.Verified, default, digest);
        return refusal;
    }

    /// <summary>The parts, with a manifest that is verified. <paramref name="header"/> is what the machine was laid out by.</summary>
    public static Refusal CheckParts(in ImageHeader header, TrustFlags flags, ref MeasurementLog log)
    {
        ReadOnlySpan<byte> place = TMemory.At(Virt.ManifestBase, ImageManifest.SignedBytes);
        if (!ManifestCheck.IsSound(place))
        {
            return Refusal.Of(RefusalReason.Manifest);
        }

        // TXM knows the flags too; SPTM takes no other's word for this one.
        ref readonly ImageManifest manifest = ref MemoryMarshal.AsRef<ImageManifest>(place);
        if (manifest.Signer == SignerKind.Debug && (flags & TrustFlags.Production) != 0)
        {
            return Refusal.Of(RefusalReason.DebugKey);
        }

        ReadOnlySpan<ManifestPart> parts = manifest.Parts;
        for (int i = 0; i < (int)manifest.PartCount; i++)
        {
            ref readonly ManifestPart part = ref parts[i];
            if (part.Kind == PartKind.Txm)
            {
                // Its slot has been run and cleared since; the pin has judged it, and both must name the same TXM.
                if (!((ReadOnlySpan<byte>)part.Digest).SequenceEqual(log.Entries[TxmEntry].Digest))
                {
                    return Refusal.Of(part);
                }

                continue;
            }

            Sha256<TBlocks>.Hash(TMemory.At(part.Base, part.Bytes), out Digest digest);
            bool matches = ((ReadOnlySpan<byte>)digest).SequenceEqual(part.Digest);
            Log(ref log, part.Kind, matches ? MeasurementResult.Verified : MeasurementResult.Refused, part.Name, digest);
            if (!matches)
            {
                return Refusal.Of(part);
            }
        }

        if (!AsBytes(header).SequenceEqual(AsBytes(manifest.Header)))
        {
            return Refusal.Of(RefusalReason.Manifest);
        }

        log.Signer = manifest.Signer;
        return default;
    }

    /// <summary>Index of TXM's entry: SPTM's is the first.</summary>
    private const int TxmEntry = 1;

    private static ReadOnlySpan<byte> AsBytes(in ImageHeader header) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in header, 1));
}
