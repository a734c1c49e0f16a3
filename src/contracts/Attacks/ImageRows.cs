using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>What somebody can try who writes the image before it boots. SPTM counts what it refuses before Linux runs; the count is read afterwards.</summary>
/// <remarks>Tests of every other place and every part: tests/Boot.Tests/SecureBootTests.cs, tests/SecureBoot.Tests.</remarks>
internal static class ImageRows
{
    private const string Measured = "SPTM: each part is measured against the signed list; no secure world";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        Row("image.sk", "changed text of SK", "change one bit of the pages that hold SK's text", Measured, ImagePlace.KernelTextEnd),
        Row("image.component", "changed component", "change one bit of XnuProxy", Measured, ImagePlace.ComponentEnd),
        Row("image.conclave", "changed conclave", "change one bit of Signer", Measured, ImagePlace.ConclaveEnd),
        Row("image.manifest", "changed list of digests", "change one bit of the signed list", "SPTM: TXM does not vouch for it; no secure world", ImagePlace.Manifest),
        Row("image.signature", "changed signature", "change one bit of the signature", "SPTM: TXM does not vouch for it; no secure world", ImagePlace.Signature),
        Row("image.verifier", "changed verifier", "change one bit of TXM, which verifies the signature", "SPTM: TXM's digest is pinned in SPTM; no secure world", ImagePlace.Verifier),
    ];

    private static AttackRow Row(string name, string mechanism, string tried, string stoppedBy, ImagePlace place) =>
        new(name, Invariant.Boot, Stand.Image, mechanism, tried, stoppedBy, Control.Without(Defence.VerifiedImage), AttackMachine.ChangedImage, Changed: place);
}
