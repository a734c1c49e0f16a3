using System;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>The machine has booted what an attacker made of its image: whether there is a secure world, and what SPTM counted before Linux ran.</summary>
internal static class ImageAttacks
{
    public static void AddTo(Suite suite)
    {
        Add(suite, "image.sk", "SK does not match its digest");
        Add(suite, "image.component", "component 'XnuProxy' does not match its digest");
        Add(suite, "image.conclave", "conclave 'Signer' does not match its digest");
        Add(suite, "image.manifest", "the signature of the manifest is not valid");
        Add(suite, "image.signature", "the signature of the manifest is not valid");
        Add(suite, "image.verifier", "TXM does not match the digest pinned in SPTM");
    }

    /// <param name="reason">What SPTM must have found; another reason would say nothing about this attack.</param>
    private static void Add(Suite suite, string name, string reason) => suite.Add(name, trial =>
        trial.Find("the changed image", trial.Field.Of(SptmCounter.RefusedImage), () => Judge(trial.Field, reason)));

    private static Attempt Judge(Field field, string reason)
    {
        if (field.HasSecureWorld)
        {
            return field.IsAlive(out string why) ? Attempt.Succeeded("the changed image serves calls") : Attempt.Neither($"a secure world that does not answer: {why}");
        }

        SecureWorldStatus status = SecureWorldStatus.Read() ?? throw new InvalidOperationException("the device tree does not say how far the secure world is");
        return status.Reason == reason ? Attempt.Stopped(reason) : Attempt.Neither($"{status.Status}: {status.Reason}");
    }
}
