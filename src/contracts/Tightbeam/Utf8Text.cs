using System;

namespace Exclaves.Tightbeam;

/// <summary>UTF-8 as the Unicode Standard defines it (table 3-7): shortest forms, no surrogates, nothing above U+10FFFF.</summary>
public static class Utf8Text
{
    public static bool IsValid(scoped ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (at < text.Length)
        {
            int bytes = SequenceBytes(text.Slice(at));
            if (bytes == 0)
            {
                return false;
            }

            at += bytes;
        }

        return true;
    }

    /// <summary>The longest start of <paramref name="text"/> that is valid and has at most <paramref name="max"/> bytes.</summary>
    public static int ValidPrefix(scoped ReadOnlySpan<byte> text, int max)
    {
        int at = 0;
        while (at < text.Length)
        {
            int bytes = SequenceBytes(text.Slice(at));
            if (bytes == 0 || at + bytes > max)
            {
                break;
            }

            at += bytes;
        }

        return at;
    }

    /// <summary>Bytes of the first character; 0 when it is malformed.</summary>
    private static int SequenceBytes(scoped ReadOnlySpan<byte> text)
    {
        byte first = text[0];
        if (first < 0x80)
        {
            return 1;
        }

        int bytes = first switch
        {
            >= 0xC2 and <= 0xDF => 2,
            >= 0xE0 and <= 0xEF => 3,
            >= 0xF0 and <= 0xF4 => 4,
            _ => 0,
        };
        if (bytes == 0 || bytes > text.Length)
        {
            return 0;
        }

        // The second byte excludes long forms, surrogates and what lies above the last code point.
        (byte low, byte high) = first switch
        {
            0xE0 => ((byte)0xA0, (byte)0xBF),
            0xED => ((byte)0x80, (byte)0x9F),
            0xF0 => ((byte)0x90, (byte)0xBF),
            0xF4 => ((byte)0x80, (byte)0x8F),
            _ => ((byte)0x80, (byte)0xBF),
        };
        if (text[1] < low || text[1] > high)
        {
            return 0;
        }

        for (int i = 2; i < bytes; i++)
        {
            if ((text[i] & 0xC0) != 0x80)
            {
                return 0;
            }
        }

        return bytes;
    }
}
