using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Exclaves.Vectors;

/// <summary>Which public vectors are run: those of Debian's python3-cryptography-vectors that System.Security.Cryptography has a class for.</summary>
public static class VectorFamilies
{
    /// <summary>Of the large GCM files every fifth vector of each length is enough.</summary>
    private const int Sparse = 5;

    private static readonly Dictionary<string, (string Identifier, int Bytes)> Curves = new()
    {
        ["P-192"] = ("1.2.840.10045.3.1.1", 24),
        ["P-224"] = ("1.3.132.0.33", 28),
        ["P-256"] = ("1.2.840.10045.3.1.7", 32),
        ["P-384"] = ("1.3.132.0.34", 48),
        ["P-521"] = ("1.3.132.0.35", 66),
        ["K-163"] = ("1.3.132.0.1", 21),
        ["K-233"] = ("1.3.132.0.26", 30),
        ["K-283"] = ("1.3.132.0.16", 36),
        ["K-409"] = ("1.3.132.0.36", 52),
        ["K-571"] = ("1.3.132.0.38", 72),
        ["B-163"] = ("1.3.132.0.15", 21),
        ["B-233"] = ("1.3.132.0.27", 30),
        ["B-283"] = ("1.3.132.0.17", 36),
        ["B-409"] = ("1.3.132.0.37", 52),
        ["B-571"] = ("1.3.132.0.39", 72),
    };

    /// <summary>In the files of key agreement, letters stand for curves.</summary>
    private static readonly Dictionary<string, string> AgreementCurves = new()
    {
        ["EA"] = "P-192",
        ["EB"] = "P-224",
        ["EC"] = "P-256",
        ["ED"] = "P-384",
        ["EE"] = "P-521",
    };

    public static IReadOnlyList<VectorFamily> All { get; } =
    [
        new(
            ["hashes/MD5/rfc-1321.txt", .. Each("hashes/SHA1/SHA1{0}Msg.rsp", "Short", "Long"),
            .. Each("hashes/SHA2/SHA{0}ShortMsg.rsp", "224", "256", "384", "512", "512_224", "512_256"),
            .. Each("hashes/SHA2/SHA{0}LongMsg.rsp", "224", "256", "384", "512", "512_224", "512_256"),
            .. Each("hashes/SHA3/SHA3_{0}ShortMsg.rsp", "224", "256", "384", "512"),
            .. Each("hashes/SHA3/SHA3_{0}LongMsg.rsp", "224", "256", "384", "512")],
            ["MD"],
            Hash),
        new(Each("hashes/SHAKE/SHAKE{0}.rsp", "128ShortMsg", "128LongMsg", "128VariableOut", "256ShortMsg", "256LongMsg", "256VariableOut"), ["Output"], Shake),
        new(Each("HMAC/rfc-{0}.txt", "2202-md5", "2202-sha1", "4231-sha224", "4231-sha256", "4231-sha384", "4231-sha512"), ["MD"], Hmac),
        new(["KDF/hkdf-generated.txt", .. Each("KDF/rfc-5869-HKDF-SHA{0}.txt", "1", "256")], ["OKM"], Hkdf),
        new(["KDF/rfc-6070-PBKDF2-SHA1.txt"], ["DERIVED_KEY"], Pbkdf2),
        new([.. Aes("ECB"), .. Aes("CBC"), .. Aes("CFB8"), .. Aes("CFB128")], ["CIPHERTEXT", "PLAINTEXT"], AesText),
        new(Each("ciphers/3DES/CBC/TCBC{0}.rsp", "MMT1", "MMT2", "MMT3"), ["CIPHERTEXT", "PLAINTEXT"], TripleDesText),
        new(Each("ciphers/AES/GCM/gcmDecrypt{0}.rsp", "128", "192", "256"), ["PT", "FAIL"], OpenGcm),
        new(Each("ciphers/AES/GCM/gcmEncryptExtIV{0}.rsp", "128", "192", "256"), ["Tag"], SealGcm),
        new(Each("ciphers/AES/CCM/DVPT{0}.rsp", "128", "192", "256"), [], OpenCcm, "Result"),
        new([.. Ccm("VADT"), .. Ccm("VNT"), .. Ccm("VPT"), .. Ccm("VTT")], ["CT"], SealCcm),
        new(["ciphers/ChaCha20Poly1305/openssl.txt"], [], OpenChaCha, "Ciphertext"),
        new(["ciphers/ChaCha20Poly1305/boringssl.txt"], ["TAG"], SealChaCha),
        new(Each("keywrap/kwtestvectors/KWP_AE_{0}.txt", "128", "192", "256"), ["C"], Wrap),
        new(Each("keywrap/kwtestvectors/KWP_AD_{0}.txt", "128", "192", "256"), ["P", "FAIL"], Unwrap),
        new(["asymmetric/ECDSA/FIPS_186-3/SigVer.rsp"], ["Result"], VerifyEcdsa),
        new(["asymmetric/ECDSA/FIPS_186-3/SigGen.rsp"], ["S"], VerifyEcdsa),
        new(["asymmetric/RSA/FIPS_186-2/SigVer15_186-3.rsp", "asymmetric/RSA/FIPS_186-2/SigVerPSS_186-3.rsp"], ["Result"], VerifyRsa),
        new(["asymmetric/RSA/FIPS_186-2/SigGen15_186-3.rsp", "asymmetric/RSA/FIPS_186-2/SigGenPSS_186-2.txt"], ["S"], VerifyRsa),
        new(["asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax"], ["Result"], Agree),
    ];

    private static string[] Each(string pattern, params string[] parts) =>
        [.. parts.Select(part => string.Format(CultureInfo.InvariantCulture, pattern, part))];

    private static IEnumerable<string> Aes(string mode) =>
        from kind in new[] { "GFSbox", "KeySbox", "MMT", "VarKey", "VarTxt" }
        from bits in new[] { "128", "192", "256" }
        select $"ciphers/AES/{mode.TrimEnd('1', '2', '8')}/{mode}{kind}{bits}.rsp";

    private static string[] Ccm(string kind) => Each("ciphers/AES/CCM/" + kind + "{0}.rsp", "128", "192", "256");

    /// <summary>As System.Security.Cryptography spells it: SHA256, SHA3-256.</summary>
    private static string HashName(string name)
    {
        string upper = name.ToUpperInvariant();
        return upper.StartsWith("SHA-", StringComparison.Ordinal) ? "SHA" + upper[4..] : upper;
    }

    private static VectorCase Hash(string file, VectorRecord record)
    {
        string name = Path.GetFileNameWithoutExtension(file) switch
        {
            "rfc-1321" => "MD5",
            string other => other.Replace("ShortMsg", "", StringComparison.Ordinal).Replace("LongMsg", "", StringComparison.Ordinal),
        };
        name = name.StartsWith("SHA3_", StringComparison.Ordinal) ? name.Replace('_', '-') : name.Replace('_', '/');
        return new VectorCase(name, Computation.Hash, new FieldWriter().Add(name).Add(record.Bytes("Msg", record.Number("Len"))), record.Bytes("MD"));
    }

    private static VectorCase Shake(string file, VectorRecord record)
    {
        string name = Path.GetFileName(file)[..8];
        byte[] message = record.Bytes("Msg", record.Has("Len") ? record.Number("Len") : 1);
        return new VectorCase(
            name, Computation.ExtendableHash, new FieldWriter().Add(name).Add(record.Number("Outputlen") / 8).Add(message), record.Bytes("Output"));
    }

    private static VectorCase Hmac(string file, VectorRecord record)
    {
        string name = Path.GetFileNameWithoutExtension(file).Split('-')[^1].ToUpperInvariant();
        FieldWriter input = new FieldWriter().Add(name).Add(record.Bytes("Key")).Add(record.Bytes("Msg", record.Number("Len")));
        return new VectorCase("HMAC " + name, Computation.Hmac, input, record.Bytes("MD"));
    }

    private static VectorCase Hkdf(string file, VectorRecord record)
    {
        string name = HashName(record.Text("Hash"));
        FieldWriter input = new FieldWriter().Add(name).Add(record.Bytes("IKM")).Add(record.Bytes("salt")).Add(record.Bytes("info")).Add(record.Number("L"));
        return new VectorCase("HKDF " + name, Computation.Hkdf, input, record.Bytes("OKM"));
    }

    private static VectorCase Pbkdf2(string file, VectorRecord record)
    {
        // The one file with text that is not in quotes; \0 stands for a zero byte.
        string password = record.Text("PASSWORD").Replace("\\0", "\0", StringComparison.Ordinal);
        string salt = record.Text("SALT").Replace("\\0", "\0", StringComparison.Ordinal);
        FieldWriter input = new FieldWriter().Add("SHA1").Add(password).Add(salt).Add(record.Number("ITERATIONS")).Add(record.Number("LENGTH"));
        return new VectorCase("PBKDF2 SHA1", Computation.Pbkdf2, input, record.Bytes("DERIVED_KEY"));
    }

    private static VectorCase? AesText(string file, VectorRecord record)
    {
        string mode = Path.GetFileName(Path.GetDirectoryName(file))!;
        int feedbackBits = Path.GetFileName(file).StartsWith("CFB8", StringComparison.Ordinal) ? 8 : 128;
        return Text("AES", mode, feedbackBits, record.Bytes("KEY"), record);
    }

    private static VectorCase? TripleDesText(string file, VectorRecord record)
    {
        byte[] key = [.. record.Bytes("KEY1"), .. record.Bytes("KEY2"), .. record.Bytes("KEY3")];
        return Text("3DES", "CBC", 0, key, record);
    }

    private static VectorCase? Text(string cipher, string mode, int feedbackBits, byte[] key, VectorRecord record)
    {
        bool isEncryption = record.Section == "ENCRYPT";

        // The file ends the vector with what comes out; the name of what goes in ends nothing.
        string result = isEncryption ? "CIPHERTEXT" : "PLAINTEXT";
        string text = isEncryption ? "PLAINTEXT" : "CIPHERTEXT";
        if (record.LastName != result)
        {
            return null;
        }

        byte[] vector = record.Has("IV") ? record.Bytes("IV") : [];
        FieldWriter input = new FieldWriter().Add(cipher).Add(mode).Add(feedbackBits).Add(key).Add(vector).Add(record.Bytes(text));
        string name = $"{cipher} {mode}{(mode == "CFB" ? feedbackBits : "")}";
        return new VectorCase(name, isEncryption ? Computation.Encrypt : Computation.Decrypt, input, record.Bytes(result));
    }

    private static VectorCase? OpenGcm(string file, VectorRecord record) => record.Number("Count") % Sparse != 0 ? null : new VectorCase(
        "AES-GCM open",
        Computation.Open,
        new FieldWriter().Add("GCM").Add(record.Bytes("Key")).Add(record.Bytes("IV")).Add(record.Bytes("AAD")).Add(record.Bytes("CT")).Add(record.Bytes("Tag")),
        record.Has("FAIL") ? null : record.Bytes("PT"));

    private static VectorCase? SealGcm(string file, VectorRecord record)
    {
        if (record.Number("Count") % Sparse != 0)
        {
            return null;
        }

        byte[] tag = record.Bytes("Tag");
        FieldWriter input = new FieldWriter().Add("GCM").Add(record.Bytes("Key")).Add(record.Bytes("IV")).Add(record.Bytes("AAD")).Add(record.Bytes("PT")).Add(tag.Length);
        return new VectorCase("AES-GCM seal", Computation.Seal, input, [.. record.Bytes("CT"), .. tag]);
    }

    private static VectorCase OpenCcm(string file, VectorRecord record)
    {
        byte[] sealedText = record.Bytes("CT");
        int length = sealedText.Length - record.Number("Tlen");
        FieldWriter input = new FieldWriter().Add("CCM").Add(record.Bytes("Key")).Add(record.Bytes("Nonce")).Add(record.Bytes("Adata", record.Number("Alen")))
            .Add(sealedText.AsSpan(0, length)).Add(sealedText.AsSpan(length));
        return new VectorCase("AES-CCM open", Computation.Open, input, record.Text("Result") == "Pass" ? record.Bytes("Payload", length) : null);
    }

    private static VectorCase SealCcm(string file, VectorRecord record)
    {
        FieldWriter input = new FieldWriter().Add("CCM").Add(record.Bytes("Key")).Add(record.Bytes("Nonce")).Add(record.Bytes("Adata", record.Number("Alen")))
            .Add(record.Bytes("Payload", record.Number("Plen"))).Add(record.Number("Tlen"));
        return new VectorCase("AES-CCM seal", Computation.Seal, input, record.Bytes("CT"));
    }

    private static VectorCase OpenChaCha(string file, VectorRecord record)
    {
        FieldWriter input = new FieldWriter().Add("ChaCha20").Add(record.Bytes("Key")).Add(record.Bytes("IV")).Add(record.Bytes("AAD"))
            .Add(record.Bytes("Ciphertext")).Add(record.Bytes("Tag"));
        return new VectorCase("ChaCha20-Poly1305 open", Computation.Open, input, record.Has("Result") ? null : record.Bytes("Plaintext"));
    }

    private static VectorCase SealChaCha(string file, VectorRecord record)
    {
        byte[] tag = record.Bytes("TAG");
        FieldWriter input = new FieldWriter().Add("ChaCha20").Add(record.Bytes("KEY")).Add(record.Bytes("NONCE")).Add(record.Bytes("AD")).Add(record.Bytes("IN")).Add(tag.Length);
        return new VectorCase("ChaCha20-Poly1305 seal", Computation.Seal, input, [.. record.Bytes("CT"), .. tag]);
    }

    private static VectorCase Wrap(string file, VectorRecord record) =>
        new("AES key wrap", Computation.WrapKey, new FieldWriter().Add(record.Bytes("K")).Add(record.Bytes("P")), record.Bytes("C"));

    private static VectorCase Unwrap(string file, VectorRecord record) => new(
        "AES key unwrap", Computation.UnwrapKey, new FieldWriter().Add(record.Bytes("K")).Add(record.Bytes("C")), record.Has("FAIL") ? null : record.Bytes("P"));

    private static VectorCase VerifyEcdsa(string file, VectorRecord record)
    {
        string[] section = record.Section.Split(',');
        (string identifier, int bytes) = Curves[section[0]];
        string hash = HashName(section[1]);
        FieldWriter input = new FieldWriter().Add(identifier).Add(hash).Add(record.Integer("Qx", bytes)).Add(record.Integer("Qy", bytes))
            .Add([.. record.Integer("R", bytes), .. record.Integer("S", bytes)]).Add(record.Bytes("Msg"));
        return new VectorCase($"ECDSA {section[0]} {hash}", Computation.VerifyEcdsa, input, IsGenuine(record) ? [] : null);
    }

    private static VectorCase VerifyRsa(string file, VectorRecord record)
    {
        string padding = file.Contains("PSS", StringComparison.Ordinal) ? "PSS" : "PKCS1";
        string hash = HashName(record.Text("SHAAlg"));
        byte[] modulus = record.Integer("n", 0);
        FieldWriter input = new FieldWriter().Add(padding).Add(hash).Add(modulus).Add(record.Integer("e", 0))
            .Add(record.Integer("S", modulus.Length)).Add(record.Bytes("Msg"));
        string salt = padding == "PSS" ? $" salt {record.Bytes("SaltVal").Length}" : "";
        return new VectorCase($"RSA {padding}{salt} {hash}", Computation.VerifyRsa, input, IsGenuine(record) ? [] : null);
    }

    /// <summary>"P" or "F (why)"; vectors made by signing have none and are genuine.</summary>
    private static bool IsGenuine(VectorRecord record) => !record.Has("Result") || record.Text("Result").StartsWith('P');

    private static VectorCase? Agree(string file, VectorRecord record)
    {
        // What is wrong with the others is found by checks that are not part of the agreement.
        if (!IsGenuine(record))
        {
            return null;
        }

        string curve = AgreementCurves[record.Section[..2]];
        (string identifier, int bytes) = Curves[curve];
        FieldWriter input = new FieldWriter().Add(identifier).Add(record.Integer("dsIUT", bytes))
            .Add(record.Integer("QsIUTx", bytes)).Add(record.Integer("QsIUTy", bytes)).Add(record.Integer("QsCAVSx", bytes)).Add(record.Integer("QsCAVSy", bytes));
        return new VectorCase("ECDH " + curve, Computation.AgreeEcdh, input, record.Integer("Z", bytes));
    }
}
