using System;
using System.IO;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Signing;

/// <summary>Puts digests and a signature into an image that is laid out.</summary>
public static class ImageSigner
{
    /// <summary>Measures every part that the manifest lists and signs the list. The monitor's root of trust stays as it is.</summary>
    public static void Sign(string file, SigningKey key)
    {
        using ImageFile image = ImageFile.Open(file, FileAccess.ReadWrite);
        ImageManifest manifest = image.Manifest;
        manifest.Signer = key.Kind;
        for (int i = 0; i < (int)manifest.PartCount; i++)
        {
            manifest.Parts[i].Digest = image.Hash(manifest.Parts[i].Base, manifest.Parts[i].Bytes);
        }

        image.Write(manifest);
        Digest digest = image.Hash(Virt.ManifestBase, ImageManifest.SignedBytes);
        image.WriteSignature(key.Sign(digest));
    }

    /// <summary>Makes the key the one that the image's monitor trusts. This changes SPTM, and so the log's first entry.</summary>
    public static void Enroll(string file, SigningKey key)
    {
        using ImageFile image = ImageFile.Open(file, FileAccess.ReadWrite);
        TrustRoot root = image.Root;
        TrustRoots.Enroll(ref root, key);
        image.Write(root);
    }

    /// <summary>Whether the image's monitor trusts the key.</summary>
    public static bool IsTrusted(string file, SigningKey key)
    {
        using ImageFile image = ImageFile.Open(file, FileAccess.Read);
        return TrustRoots.Accepts(image.Root, key);
    }
}
