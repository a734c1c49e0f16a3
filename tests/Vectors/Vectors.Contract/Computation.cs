namespace Exclaves.Vectors;

/// <summary>What to compute. The fields of its input, in order, are in the comments.</summary>
public enum Computation : uint
{
    None = 0,

    /// <summary>Name, message.</summary>
    Hash = 1,

    /// <summary>Name, length of the result, message.</summary>
    ExtendableHash = 2,

    /// <summary>Name of the hash, key, message.</summary>
    Hmac = 3,

    /// <summary>Name of the hash, key, salt, info, length.</summary>
    Hkdf = 4,

    /// <summary>Name of the hash, password, salt, iterations, length.</summary>
    Pbkdf2 = 5,

    /// <summary>Cipher, mode, feedback bits, key, initialization vector, text.</summary>
    Encrypt = 6,
    Decrypt = 7,

    /// <summary>Cipher, key, nonce, associated data, text, bytes of the tag: the result is ciphertext and tag.</summary>
    Seal = 8,

    /// <summary>Cipher, key, nonce, associated data, ciphertext, tag.</summary>
    Open = 9,

    /// <summary>Key, text.</summary>
    WrapKey = 10,
    UnwrapKey = 11,

    /// <summary>Object identifier of the curve, hash, x, y, signature, message.</summary>
    VerifyEcdsa = 12,

    /// <summary>Padding, hash, modulus, exponent, signature, message.</summary>
    VerifyRsa = 13,

    /// <summary>Object identifier of the curve, own private key, own x, own y, the other's x, the other's y.</summary>
    AgreeEcdh = 14,
}
