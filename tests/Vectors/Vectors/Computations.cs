using System;
using System.Security.Cryptography;

namespace Exclaves.Vectors;

/// <summary>Each computation by the class of System.Security.Cryptography that a program would use.</summary>
internal static class Computations
{
    /// <returns>Null: tag or signature are not genuine.</returns>
    public static byte[]? Run(Computation computation, FieldReader fields) => computation switch
    {
        Computation.Hash => CryptographicOperations.HashData(Hash(ref fields), fields.Bytes()),
        Computation.ExtendableHash => ExtendableHash(fields.Text(), fields.Number(), fields.Bytes()),
        Computation.Hmac => CryptographicOperations.HmacData(Hash(ref fields), fields.Bytes(), fields.Bytes()),
        Computation.Hkdf => Hkdf(Hash(ref fields), fields.Bytes(), fields.Bytes(), fields.Bytes(), fields.Number()),
        Computation.Pbkdf2 => Pbkdf2(Hash(ref fields), fields.Bytes(), fields.Bytes(), fields.Number(), fields.Number()),
        Computation.Encrypt => Crypt(ref fields, isEncryption: true),
        Computation.Decrypt => Crypt(ref fields, isEncryption: false),
        Computation.Seal => Seal(ref fields),
        Computation.Open => Open(ref fields),
        Computation.WrapKey => Wrap(fields.Bytes(), fields.Bytes()),
        Computation.UnwrapKey => Unwrap(fields.Bytes(), fields.Bytes()),
        Computation.VerifyEcdsa => VerifyEcdsa(ref fields) ? [] : null,
        Computation.VerifyRsa => VerifyRsa(ref fields) ? [] : null,
        Computation.AgreeEcdh => AgreeEcdh(ref fields),
        _ => throw new ArgumentOutOfRangeException(nameof(computation)),
    };

    private static HashAlgorithmName Hash(ref FieldReader fields) => new(fields.Text());

    private static byte[] ExtendableHash(string name, int bytes, ReadOnlySpan<byte> message) =>
        name == "SHAKE128" ? Shake128.HashData(message, bytes) : Shake256.HashData(message, bytes);

    private static byte[] Hkdf(HashAlgorithmName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, int bytes)
    {
        byte[] result = new byte[bytes];
        HKDF.DeriveKey(hash, key, result, salt, info);
        return result;
    }

    private static byte[] Pbkdf2(HashAlgorithmName hash, ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations, int bytes) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, hash, bytes);

    private static byte[] Crypt(ref FieldReader fields, bool isEncryption)
    {
        using SymmetricAlgorithm cipher = fields.Text() == "AES" ? Aes.Create() : TripleDES.Create();
        string mode = fields.Text();
        int feedbackBits = fields.Number();
        cipher.Key = fields.Bytes().ToArray();
        ReadOnlySpan<byte> vector = fields.Bytes();
        ReadOnlySpan<byte> text = fields.Bytes();
        return (mode, isEncryption) switch
        {
            ("ECB", true) => cipher.EncryptEcb(text, PaddingMode.None),
            ("ECB", false) => cipher.DecryptEcb(text, PaddingMode.None),
            ("CBC", true) => cipher.EncryptCbc(text, vector, PaddingMode.None),
            ("CBC", false) => cipher.DecryptCbc(text, vector, PaddingMode.None),
            ("CFB", true) => cipher.EncryptCfb(text, vector, PaddingMode.None, feedbackBits),
            ("CFB", false) => cipher.DecryptCfb(text, vector, PaddingMode.None, feedbackBits),
            _ => throw new NotSupportedException(mode),
        };
    }

    private static byte[] Seal(ref FieldReader fields)
    {
        string cipher = fields.Text();
        ReadOnlySpan<byte> key = fields.Bytes();
        ReadOnlySpan<byte> nonce = fields.Bytes();
        ReadOnlySpan<byte> data = fields.Bytes();
        ReadOnlySpan<byte> text = fields.Bytes();
        byte[] result = new byte[text.Length + fields.Number()];
        Span<byte> sealedText = result.AsSpan(0, text.Length);
        Span<byte> tag = result.AsSpan(text.Length);
        switch (cipher)
        {
            case "GCM":
                using (AesGcm gcm = new(key, tag.Length)) { gcm.Encrypt(nonce, text, sealedText, tag, data); }

                break;
            case "CCM":
                using (AesCcm ccm = new(key)) { ccm.Encrypt(nonce, text, sealedText, tag, data); }

                break;
            default:
                using (ChaCha20Poly1305 chacha = new(key)) { chacha.Encrypt(nonce, text, sealedText, tag, data); }

                break;
        }

        return result;
    }

    private static byte[]? Open(ref FieldReader fields)
    {
        string cipher = fields.Text();
        ReadOnlySpan<byte> key = fields.Bytes();
        ReadOnlySpan<byte> nonce = fields.Bytes();
        ReadOnlySpan<byte> data = fields.Bytes();
        ReadOnlySpan<byte> sealedText = fields.Bytes();
        ReadOnlySpan<byte> tag = fields.Bytes();
        byte[] text = new byte[sealedText.Length];
        try
        {
            switch (cipher)
            {
                case "GCM":
                    using (AesGcm gcm = new(key, tag.Length)) { gcm.Decrypt(nonce, sealedText, tag, text, data); }

                    break;
                case "CCM":
                    using (AesCcm ccm = new(key)) { ccm.Decrypt(nonce, sealedText, tag, text, data); }

                    break;
                default:
                    using (ChaCha20Poly1305 chacha = new(key)) { chacha.Decrypt(nonce, sealedText, tag, text, data); }

                    break;
            }

            return text;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text)
    {
        using Aes aes = Aes.Create();
        aes.Key = key.ToArray();
        return aes.EncryptKeyWrapPadded(text);
    }

    private static byte[]? Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> wrapped)
    {
        using Aes aes = Aes.Create();
        aes.Key = key.ToArray();
        try
        {
            return aes.DecryptKeyWrapPadded(wrapped);
        }
        catch (CryptographicException)
        {
            // There is no exception of its own for a key that is not genuine.
            return null;
        }
    }

    private static ECPoint Point(ref FieldReader fields) => new() { X = fields.Bytes().ToArray(), Y = fields.Bytes().ToArray() };

    private static bool VerifyEcdsa(ref FieldReader fields)
    {
        ECCurve curve = ECCurve.CreateFromValue(fields.Text());
        HashAlgorithmName hash = Hash(ref fields);
        using ECDsa key = ECDsa.Create(new ECParameters { Curve = curve, Q = Point(ref fields) });
        ReadOnlySpan<byte> signature = fields.Bytes();
        return key.VerifyData(fields.Bytes(), signature, hash);
    }

    private static bool VerifyRsa(ref FieldReader fields)
    {
        RSASignaturePadding padding = fields.Text() == "PSS" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        HashAlgorithmName hash = Hash(ref fields);
        using RSA key = RSA.Create(new RSAParameters { Modulus = fields.Bytes().ToArray(), Exponent = fields.Bytes().ToArray() });
        ReadOnlySpan<byte> signature = fields.Bytes();
        return key.VerifyData(fields.Bytes(), signature, hash, padding);
    }

    private static byte[] AgreeEcdh(ref FieldReader fields)
    {
        ECCurve curve = ECCurve.CreateFromValue(fields.Text());
        byte[] secret = fields.Bytes().ToArray();
        using ECDiffieHellman own = ECDiffieHellman.Create(new ECParameters { Curve = curve, D = secret, Q = Point(ref fields) });
        using ECDiffieHellman other = ECDiffieHellman.Create(new ECParameters { Curve = curve, Q = Point(ref fields) });
        using ECDiffieHellmanPublicKey otherKey = other.PublicKey;
        return own.DeriveRawSecretAgreement(otherKey);
    }
}
