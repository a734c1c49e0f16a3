using System;
using System.Text;

namespace Exclaves.Client;

/// <summary>The text form of a public key (RFC 7468).</summary>
public static class Pem
{
    public const string PublicKeyLabel = "PUBLIC KEY";

    private const int LineCharacters = 64;

    /// <summary>Ends with a line feed.</summary>
    public static string Encode(ReadOnlySpan<byte> der, string label = PublicKeyLabel)
    {
        string base64 = Convert.ToBase64String(der);
        StringBuilder text = new();
        _ = text.Append("-----BEGIN ").Append(label).Append("-----\n");
        for (int at = 0; at < base64.Length; at += LineCharacters)
        {
            _ = text.Append(base64, at, Math.Min(LineCharacters, base64.Length - at)).Append('\n');
        }

        return text.Append("-----END ").Append(label).Append("-----\n").ToString();
    }

    /// <summary>The bytes of the first block with that label; null when there is none or its text is broken.</summary>
    public static byte[]? Decode(string text, string label = PublicKeyLabel)
    {
        ArgumentNullException.ThrowIfNull(text);
        string begin = $"-----BEGIN {label}-----";
        int start = text.IndexOf(begin, StringComparison.Ordinal);
        int end = start < 0 ? -1 : text.IndexOf($"-----END {label}-----", start, StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        string body = text[(start + begin.Length)..end];
        byte[] buffer = new byte[body.Length];
        return Convert.TryFromBase64String(body, buffer, out int bytes) ? buffer[..bytes] : null;
    }
}
