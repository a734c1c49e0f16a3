using System;
using System.Linq;
using System.Text;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.LogServer.Tests;

/// <summary>What becomes of a text.</summary>
public class ScribeTests
{
    [Theory]
    [InlineData("plain text, ümläut, 漢字, 🙂", "plain text, ümläut, 漢字, 🙂")]
    [InlineData("two\nlines\tand a tab", "two lines and a tab")]
    [InlineData("\u001b[31mred\u001b[0m\rover", ".[31mred.[0m.over")]
    [InlineData("\u009b31m\u0085\u007f", ".31m..")]
    [InlineData("left\u202eright\u2066\u200f\ufeff\u2028", "left.right....")]
    [InlineData("\U000e0041tag", ".tag")]
    [InlineData("nul\0", "nul?")]
    public void NothingThatATerminalTakesForACommandIsKept(string text, string kept) => Assert.Equal(kept, Write(Encoding.UTF8.GetBytes(text), false));

    [Theory]
    [InlineData("C080", "??")] // NUL in a long form
    [InlineData("E0809B", "???")] // ESC in a long form
    [InlineData("EDA080", "???")] // a surrogate
    [InlineData("F4908080", "????")] // above the last character
    [InlineData("41FF42", "A?B")]
    [InlineData("C3", "?")] // cut off
    [InlineData("E282", "??")]
    public void WhatIsNotUtf8BecomesAQuestionMark(string hex, string kept) => Assert.Equal(kept, Write(Convert.FromHexString(hex), false));

    [Theory]
    [InlineData("user \u000eadmin\u000f has \u000e3\u000f keys", "user admin has 3 keys", "user <private> has <private> keys")]
    [InlineData("\u000eall of it", "all of it", "<private>")]
    [InlineData("a \u000eb \u000ec\u000f d", "a b c d", "a <private> d")] // the marks do not nest
    [InlineData("a\u000f b", "a b", "a b")]
    [InlineData("\u000e\u000f", "", "<private>")]
    public void PrivatePartsStayInAProductionImageAsAWord(string text, string development, string production)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal((development, production), (Write(bytes, false), Write(bytes, true)));
    }

    [Fact]
    public void WhatDoesNotFitEndsInAnEllipsisAtACharacter()
    {
        Assert.Equal(new string('a', LogText.MaxBytes - 3), Write(Encoding.UTF8.GetBytes(new string('a', LogText.MaxBytes - 3)), false));
        Assert.Equal(new string('a', LogText.MaxBytes - 3) + "…", Write(Encoding.UTF8.GetBytes(new string('a', LogText.MaxBytes)), false));
        Assert.Equal(new string('ü', (LogText.MaxBytes - 3) / 2) + "…", Write(Encoding.UTF8.GetBytes(new string('ü', LogText.MaxBytes)), false));
        Assert.Equal(new string('a', LogText.MaxBytes - 10) + "…", Write(Encoding.UTF8.GetBytes(new string('a', LogText.MaxBytes - 10) + "\u000esecret"), true));
    }

    /// <summary>Whatever bytes come: the result is harmless UTF-8, and no byte of a private part is in it.</summary>
    [Fact]
    public void RandomTextsAreHarmlessAndKeepNoSecret() => Gen.Byte.Array[0, 600].Sample(bytes =>
    {
        string kept = Write(bytes, false);
        Assert.DoesNotContain(kept, c => char.IsControl(c) || c == '\ufffd');

        // Letters stand for what is secret: outside of private parts there is none.
        byte[] secret = [.. bytes.Select(b => b is LogText.PrivateStart or LogText.PrivateEnd ? b : (byte)('a' + (b % 26)))];
        bool isPrivate = false;
        foreach (ref byte b in secret.AsSpan())
        {
            isPrivate = b == LogText.PrivateStart || (b != LogText.PrivateEnd && isPrivate);
            b = isPrivate || b is LogText.PrivateEnd ? b : (byte)'.';
        }

        Assert.DoesNotContain(Write(secret, true).Replace("<private>", "", StringComparison.Ordinal), c => c is >= 'a' and <= 'z');
    });

    private static string Write(byte[] text, bool redacts)
    {
        byte[] room = new byte[LogText.MaxBytes];
        int bytes = LogScribe.Write(text, room, redacts);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(room.AsSpan(0, bytes));
    }
}
