using System;
using Exclaves.Abi;

namespace Exclaves.LogServer;

/// <summary>Writes a text of a component as the log keeps it: valid UTF-8 that no terminal takes for a command, with or without its private parts.</summary>
public static class LogScribe
{
    private const uint Malformed = 0;

    /// <summary>Fills <paramref name="output"/> (at least <see cref="LogText.MaxBytes"/> bytes) and answers how many it took. What does not fit ends in an ellipsis.</summary>
    public static int Write(scoped ReadOnlySpan<byte> text, scoped Span<byte> output, bool redacts)
    {
        ReadOnlySpan<byte> ellipsis = "\u2026"u8;
        int limit = LogText.MaxBytes - ellipsis.Length;
        int at = 0;
        bool isPrivate = false;
        while (text.Length > 0)
        {
            int taken = Take(text, out uint character);
            ReadOnlySpan<byte> written = text.Slice(0, taken);
            text = text.Slice(taken);
            switch (character)
            {
                case LogText.PrivateEnd:
                    isPrivate = false;
                    continue;
                case LogText.PrivateStart when isPrivate || !redacts:
                    isPrivate = true;
                    continue;
                case LogText.PrivateStart:
                    isPrivate = true;
                    written = LogText.Redacted;
                    break;
                case var _ when isPrivate && redacts:
                    continue;
                case Malformed:
                    written = "?"u8;
                    break;
                case '\n' or '\t':
                    written = " "u8;
                    break;
                default:
                    written = IsHarmless(character) ? written : "."u8;
                    break;
            }

            if (written.Length > limit - at)
            {
                ellipsis.CopyTo(output.Slice(at));
                return at + ellipsis.Length;
            }

            written.CopyTo(output.Slice(at));
            at += written.Length;
        }

        return at;
    }

    /// <summary>Neither a control character (C0, DEL, C1) nor one that is invisible or turns the direction of what follows.</summary>
    private static bool IsHarmless(uint character) => character switch
    {
        < 0x20 or (>= 0x7F and <= 0x9F) => false,
        0xAD or 0x61C or 0x180E or 0xFEFF => false,
        >= 0x200B and <= 0x200F => false,
        >= 0x2028 and <= 0x202E => false,
        >= 0x2060 and <= 0x206F => false,
        >= 0xFFF9 and <= 0xFFFF => false,
        >= 0xE0000 and <= 0xE0FFF => false,
        _ => true,
    };

    /// <summary>Bytes of the first character, at least 1, and the character; <see cref="Malformed"/> when it is none (or NUL, which is no better).</summary>
    private static int Take(scoped ReadOnlySpan<byte> text, out uint character)
    {
        character = text[0];
        if (character < 0x80)
        {
            return 1;
        }

        (int bytes, uint least) = character switch
        {
            >= 0xC2 and <= 0xDF => (2, 0x80u),
            >= 0xE0 and <= 0xEF => (3, 0x800u),
            >= 0xF0 and <= 0xF4 => (4, 0x10000u),
            _ => (0, 0u),
        };
        if (bytes == 0 || bytes > text.Length)
        {
            character = Malformed;
            return 1;
        }

        character &= 0x7Fu >> bytes;
        for (int i = 1; i < bytes; i++)
        {
            if ((text[i] & 0xC0) != 0x80)
            {
                character = Malformed;
                return 1;
            }

            character = (character << 6) | (text[i] & 0x3Fu);
        }

        // A long form, a surrogate, or above the last character.
        if (character < least || character is (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF)
        {
            character = Malformed;
            return 1;
        }

        return bytes;
    }
}
