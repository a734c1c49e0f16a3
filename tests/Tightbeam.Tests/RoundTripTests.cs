using System;
using System.Linq;
using System.Text;
using CsCheck;
using Exclaves.Abi;
using Exclaves.Tightbeam.Sample;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>Every type arrives as it was sent, at its bounds and between.</summary>
public class RoundTripTests
{
    private static readonly Gen<Colour> Colours = Pick(Enum.GetValues<Colour>());
    private static readonly Gen<Point> Points = Gen.Select(Gen.Int, Gen.Int, Colours, (x, y, c) => new Point(x, y, c));
    private static readonly Gen<Segment> Segments =
        Gen.Select(Points, Gen.Select(Points, Gen.Bool, (p, there) => there ? p : (Point?)null), Gen.Byte, Gen.Bool, (f, t, w, c) => new Segment(f, t, w, c));

    private readonly Loop _loop = new();

    private static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, 1)]
    public void IntegersAtTheirBounds(int pick, int other)
    {
        // 0: the smallest, -1: the largest of each.
        bool low = pick == 0;
        Status status = _loop.Client.Integers(
            low ? sbyte.MinValue : sbyte.MaxValue, low ? byte.MinValue : byte.MaxValue, low ? short.MinValue : short.MaxValue, low ? ushort.MinValue : ushort.MaxValue,
            low ? int.MinValue : int.MaxValue, low ? uint.MinValue : uint.MaxValue, low ? long.MinValue : long.MaxValue, low ? ulong.MinValue : ulong.MaxValue, other == 1,
            out sbyte a, out byte b, out short c, out ushort d, out int e, out uint f, out long g, out ulong h, out bool i);
        Assert.Equal(Status.Ok, status);
        Assert.Equal(low ? (sbyte.MinValue, byte.MinValue, short.MinValue, ushort.MinValue) : (sbyte.MaxValue, byte.MaxValue, short.MaxValue, ushort.MaxValue), (a, b, c, d));
        Assert.Equal(low ? (int.MinValue, uint.MinValue, long.MinValue, ulong.MinValue, false) : (int.MaxValue, uint.MaxValue, long.MaxValue, ulong.MaxValue, true), (e, f, g, h, i));
    }

    [Fact]
    public void StructuresEnumsAndFlags() =>
        Gen.Select(Segments, Colours, Pick<ulong>(0, 1, 2, 3, 1UL << 63, (1UL << 63) | 3)).Sample((segment, colour, rights) =>
        {
            Assert.Equal(Status.Ok, new Loop().Client.Structures(segment, colour, (Rights)rights, out Segment segment2, out Colour colour2, out Rights rights2));
            Assert.Equal((segment, colour, (Rights)rights), (segment2, colour2, rights2));
        });

    [Fact]
    public void OptionalsThereAndNotThere() =>
        Gen.Select(Gen.UInt.Nullable(), Colours.Nullable(), Segments.Nullable(), Gen.Bool.Nullable()).Sample((a, b, c, d) =>
        {
            Assert.Equal(Status.Ok, new Loop().Client.Optionals(a, b, c, d, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2));
            Assert.Equal((a, b, c, d), (a2, b2, c2, d2));
        });

    [Fact]
    public void SpansOfEveryLength() =>
        Gen.Select(Gen.Byte.Array[0, 64], Gen.ULong.Array[0, 8], Gen.Short.Array[0, 16], Gen.Select(Gen.Int[0, 80], Gen.Int[0, 10], Gen.Int[0, 20])).Sample((bytes, words, shorts, room) =>
        {
            Loop loop = new();
            byte[] bytes2 = new byte[room.Item1];
            ulong[] words2 = new ulong[room.Item2];
            short[] shorts2 = new short[room.Item3];
            Assert.Equal(Status.Ok, loop.Client.Spans(bytes, words, shorts, bytes2, out int length, words2, out int wordsLength, shorts2, out int shortsLength));
            Assert.Equal(bytes.Take(bytes2.Length), bytes2.Take(length));
            Assert.Equal(words.Take(words2.Length), words2.Take(wordsLength));
            Assert.Equal(shorts.Take(shorts2.Length), shorts2.Take(shortsLength));
            Assert.All(bytes2.Skip(length), b => Assert.Equal(0, b));
        });

    [Fact]
    public void WhatIsTooLongIsNotSent()
    {
        Assert.Equal(Status.TooBig, _loop.Client.Spans(new byte[65], default, default, default, out _, default, out _, default, out _));
        Assert.Equal(Status.TooBig, _loop.Client.Fill(1, new byte[301]));
        Assert.Equal(Status.TooBig, _loop.Client.Text(new byte[41], default, out _));
        Assert.Equal(Status.BadArgument, _loop.Client.Text([0xC0, 0x80], default, out _));
        Assert.Equal(Status.BadArgument, _loop.Client.Structures(default, (Colour)3, Rights.None, out _, out _, out _));
        Assert.Equal(Status.BadArgument, _loop.Client.Structures(default, Colour.Red, (Rights)4, out _, out _, out _));
        Assert.Equal(0, _loop.Service.Calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Ada")]
    [InlineData("Žofie ✓ 🙂")]
    public void TextStaysText(string name)
    {
        byte[] greeting = new byte[100];
        Assert.Equal(Status.Ok, _loop.Client.Text(Encoding.UTF8.GetBytes(name), greeting, out int length));
        Assert.Equal("Hello, " + name, Encoding.UTF8.GetString(greeting, 0, length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public void AWholeBufferComesBack(int bytes)
    {
        byte[] buffer = new byte[bytes];
        Assert.Equal(Status.Ok, _loop.Client.Fill(0xA5, buffer));
        Assert.All(buffer, b => Assert.Equal(0xA5, b));
    }

    [Fact]
    public void ErrorsOfTheServiceAreTyped()
    {
        Assert.True(_loop.Client.Shout(8, out uint echo).Succeeded);
        Assert.Equal(4u, echo);
        Result<SampleError> refused = _loop.Client.Shout(0, out echo);
        Assert.Equal((Status.Ok, SampleError.Empty, 1u, false, 0u), (refused.Status, refused.Error, refused.Code, refused.Succeeded, echo));
        Assert.Equal(SampleError.TooLoud, _loop.Client.Shout(101, out _).Error);
        Assert.Equal(Status.Busy, _loop.Client.Shout(13, out _).Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    public void LargeSpansAreShared(int bytes)
    {
        byte[] from = new byte[bytes];
        new Random(1).NextBytes(from);
        byte[] to = new byte[bytes];
        Assert.Equal(Status.Ok, _loop.Client.Copy(new SharedBuffer(0, 0, from), new SharedBuffer(0, 0, to), out uint sum));
        Assert.Equal(from, to);
        Assert.Equal((uint)from.Sum(b => b), sum);
        Assert.Equal(Status.TooBig, _loop.Client.Copy(new SharedBuffer(0, 0, new byte[(1 << 20) + 1]), default, out _));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 103)]
    public void CapabilitiesGoAlongByHandle(uint given, uint taken)
    {
        _loop.Record = true;
        Assert.Equal(Status.Ok, _loop.Client.Exchange(new Capability(given), out Capability answer));
        Assert.Equal(taken, answer.Slot);
        Assert.Equal(25, _loop.Sent.Length); // The number of the slot is not in the message.
    }

    [Fact]
    public void AnInterfaceTellsItsVersion()
    {
        Assert.Equal(Status.Ok, _loop.Client.ReadVersion(out ushort version));
        Assert.Equal(3, version);
        Assert.Equal(Status.Ok, _loop.Client.@event(41, out uint answer));
        Assert.Equal(42u, answer);
    }

    [Fact]
    public void NothingIsAllocatedOnEitherSide()
    {
        byte[] data = new byte[256];
        byte[] buffer = new byte[64];
        long before = 0;
        for (int i = 0; i < 200; i++)
        {
            // The first rounds compile.
            if (i == 100)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            Status four = _loop.Client.Four(1, 2, 3, 4, data, out ulong sum);
            Status spans = _loop.Client.Spans(data.AsSpan(0, 64), default, default, buffer, out _, default, out _, default, out _);
            Status optionals = _loop.Client.Optionals(1, null, new Segment(default, default, 1, true), null, out _, out _, out _, out _);
            Status copy = _loop.Client.Copy(new SharedBuffer(0, 0, data), new SharedBuffer(0, 0, data), out _);
            if (four != Status.Ok || spans != Status.Ok || optionals != Status.Ok || copy != Status.Ok || sum != 266)
            {
                throw new InvalidOperationException();
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void TextIsWhatUnicodeSays() =>
        Gen.Byte.Array[0, 12].Where(b => b.Length > 0).Sample(
            bytes =>
            {
                // Bytes near the borders, so that many are nearly right.
                byte[] borders = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF];
                byte[] text = [.. bytes.Select(b => borders[b % borders.Length])];
                Assert.Equal(System.Text.Unicode.Utf8.IsValid(text), Utf8Text.IsValid(text));
            },
            iter: 100_000);
}
