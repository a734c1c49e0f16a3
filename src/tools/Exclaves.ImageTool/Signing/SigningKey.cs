using System;
using System.IO;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.ImageTool.Layout;

namespace Exclaves.ImageTool.Signing;

/// <summary>A private key on P-256 that answers for images, and of which kind it is.</summary>
public sealed class SigningKey : IDisposable
{
    private const int CoordinateBytes = PublicKey.Bytes / 2;

    private readonly ECDsa _key;

    private SigningKey(ECDsa key, SignerKind kind)
    {
        _key = key;
        Kind = kind;
        ECParameters parameters = key.ExportParameters(includePrivateParameters: false);
        PublicKey point = default;
        parameters.Q.X.CopyTo(point);
        parameters.Q.Y.CopyTo(((Span<byte>)point)[CoordinateBytes..]);
        Public = point;
    }

    public SignerKind Kind { get; }

    public PublicKey Public { get; }

    /// <summary>A key that lives no longer than this object.</summary>
    public static SigningKey Create(SignerKind kind) => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), kind);

    /// <summary>Reads a private key, PEM (PKCS #8 or SEC 1, not encrypted).</summary>
    /// <exception cref="ImageToolException">The file holds no such key.</exception>
    public static SigningKey Load(string file, SignerKind kind)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(InputFile.ReadText(file));
            if (key.KeySize == 256 && key.ExportParameters(includePrivateParameters: true).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                return new SigningKey(key, kind);
            }
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
        }

        key.Dispose();
        throw new ImageToolException(file, "", "must be a private key on P-256 in PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes it.");
    }

    /// <summary>The developer's key, made on first use; nobody but its owner may read it.</summary>
    public static SigningKey LoadOrCreateDeveloper(string file)
    {
        if (!File.Exists(file))
        {
            MakeDeveloper(file);
        }

        return Load(file, SignerKind.Debug);
    }

    /// <summary>r and s over a SHA-256 digest.</summary>
    public byte[] Sign(ReadOnlySpan<byte> digest) => _key.SignHash(digest.ToArray(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public static bool Verify(in PublicKey key, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        ReadOnlySpan<byte> point = key;
        try
        {
            using ECDsa verifier = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[..CoordinateBytes].ToArray(), Y = point[CoordinateBytes..].ToArray() },
            });
            return verifier.VerifyHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            // Not a point of the curve.
            return false;
        }
    }

    public void Dispose() => _key.Dispose();

    /// <summary>Several builds may start at once: the first complete file stays.</summary>
    private static void MakeDeveloper(string file)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new ImageToolException(file, "", "cannot be made here: only Linux's file modes keep a key to its owner.");
        }

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string draft = Path.Combine(folder, Path.GetRandomFileName());
        using (FileStream stream = new(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        using (StreamWriter writer = new(stream))
        {
            writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
        }

        try
        {
            File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(draft);
        }
    }
}
