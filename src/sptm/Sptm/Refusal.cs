using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Why secure boot refuses an image. Zero: it does not.</summary>
public enum RefusalReason : byte
{
    None = 0,
    SlotRemainder = 1,
    TrustRoot = 2,
    TxmDigest = 3,
    TxmFault = 4,
    TxmTimeout = 5,
    TxmAnswer = 6,
    Signature = 7,
    SignatureBlock = 8,
    NoKey = 9,
    DebugKey = 10,
    Manifest = 11,
    PartDigest = 12,
}

/// <summary>A reason and, where one part is to blame, which.</summary>
public struct Refusal
{
    public RefusalReason Reason;
    public PartKind Part;
    public Name64 Name;

    public static Refusal Of(RefusalReason reason) => new() { Reason = reason };

    /// <summary>The part is not what the signed manifest says.</summary>
    public static Refusal Of(in ManifestPart part) => new() { Reason = RefusalReason.PartDigest, Part = part.Kind, Name = part.Name };

    public readonly bool IsRefused => Reason != RefusalReason.None;

    /// <summary>Appends the sentence for the console and for the device tree.</summary>
    public readonly void Format(ref LineBuilder line)
    {
        if (Reason != RefusalReason.PartDigest)
        {
            line.Append(TextOf(Reason));
            return;
        }

        line.Append(TextOf(Part));
        ReadOnlySpan<byte> name = Name;
        int end = name.IndexOf((byte)0);
        if (end != 0)
        {
            line.Append(" '"u8);
            line.Append(end < 0 ? name : name[..end]);
            line.Append("'"u8);
        }

        line.Append(" does not match its digest"u8);
    }

    private static ReadOnlySpan<byte> TextOf(RefusalReason reason) => reason switch
    {
        RefusalReason.SlotRemainder => "the rest of SPTM's slot is not zero"u8,
        RefusalReason.TrustRoot => "SPTM holds no root of trust: the image tool did not fill it"u8,
        RefusalReason.TxmDigest => "TXM does not match the digest pinned in SPTM"u8,
        RefusalReason.TxmFault => "TXM faulted"u8,
        RefusalReason.TxmTimeout => "TXM did not answer in time"u8,
        RefusalReason.TxmAnswer => "TXM's answer is none"u8,
        RefusalReason.Signature => "the signature of the manifest is not valid"u8,
        RefusalReason.SignatureBlock => "the signature block of the manifest is malformed"u8,
        RefusalReason.NoKey => "SPTM holds no key for the signer that the manifest names"u8,
        RefusalReason.DebugKey => "the image is signed with a debug key, and this SPTM is a production one"u8,
        RefusalReason.Manifest => "the signed manifest breaks its own rules"u8,
        _ => "unknown"u8,
    };

    private static ReadOnlySpan<byte> TextOf(PartKind part) => part switch
    {
        PartKind.SecureKernel => "SK"u8,
        PartKind.Header => "the image header"u8,
        PartKind.BootArguments => "the kernel command line"u8,
        PartKind.Txm => "TXM"u8,
        PartKind.Tables => "the component tables"u8,
        PartKind.Kit => "ExclaveKit"u8,
        PartKind.Component => "component"u8,
        PartKind.Conclave => "conclave"u8,
        PartKind.Padding => "the padding after the last component"u8,
        _ => "an unknown part"u8,
    };
}
