using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Exclaves.Attack;

/// <summary>Points of the curve P-256 (FIPS 186-5), only to recognise a key: variable time, never for secrets of one's own.</summary>
/// <remarks>Field elements are four 64-bit limbs in Montgomery form (R = 2^256), least significant first.</remarks>
internal sealed class P256
{
    private const int Limbs = 4;
    private const int Windows = 64;
    private const int WindowSize = 15;

    private static readonly BigInteger Prime = BigInteger.Parse("0FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF", System.Globalization.NumberStyles.HexNumber);
    private static readonly BigInteger Order = BigInteger.Parse("0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", System.Globalization.NumberStyles.HexNumber);
    private static readonly BigInteger BaseX = BigInteger.Parse("06B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296", System.Globalization.NumberStyles.HexNumber);
    private static readonly BigInteger BaseY = BigInteger.Parse("04FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5", System.Globalization.NumberStyles.HexNumber);

    // entry (window, digit) = digit * 16^window * G, affine.
    private readonly Field[] _x = new Field[Windows * WindowSize];
    private readonly Field[] _y = new Field[Windows * WindowSize];

    public P256()
    {
        (BigInteger x, BigInteger y) = (BaseX, BaseY);
        for (int window = 0; window < Windows; window++)
        {
            (BigInteger multipleX, BigInteger multipleY) = (x, y);
            for (int digit = 1; digit <= WindowSize; digit++)
            {
                int entry = (window * WindowSize) + digit - 1;
                _x[entry] = Field.From(ToMontgomery(multipleX));
                _y[entry] = Field.From(ToMontgomery(multipleY));
                (multipleX, multipleY) = AddAffine(multipleX, multipleY, x, y);
            }

            (x, y) = (multipleX, multipleY);
        }
    }

    /// <summary>Whether the scalar (four limbs, least significant first) is a private key at all: 1 .. n-1.</summary>
    public static bool IsScalar(ReadOnlySpan<ulong> scalar)
    {
        BigInteger value = ToBigInteger(scalar);
        return !value.IsZero && value < Order;
    }

    /// <summary>Whether <paramref name="scalar"/> times the base point has the affine x coordinate <paramref name="publicX"/>.</summary>
    public bool HasPublicX(ReadOnlySpan<ulong> scalar, BigInteger publicX)
    {
        Field x = default, y = default, z = default;
        bool infinity = true;
        for (int window = 0; window < Windows; window++)
        {
            int digit = (int)(scalar[window / 16] >> (window % 16 * 4)) & 15;
            if (digit != 0)
            {
                int entry = (window * WindowSize) + digit - 1;
                if (infinity)
                {
                    (x, y, z) = (_x[entry], _y[entry], Field.One);
                    infinity = false;
                }
                else
                {
                    AddMixed(ref x, ref y, ref z, _x[entry], _y[entry]);
                }
            }
        }

        // x = X / Z^2, without a division.
        return !infinity && x.Equals(Field.Multiply(Field.From(ToMontgomery(publicX)), Field.Multiply(z, z)));
    }

    /// <summary>The form in which OpenSSL keeps coordinates: x * 2^256 mod p, little endian.</summary>
    public static byte[] MontgomeryBytes(BigInteger coordinate)
    {
        byte[] bytes = new byte[Limbs * sizeof(ulong)];
        _ = ToMontgomery(coordinate).TryWriteBytes(bytes, out _, isUnsigned: true);
        return bytes;
    }

    private static BigInteger ToMontgomery(BigInteger value) => (value << 256) % Prime;

    private static BigInteger ToBigInteger(ReadOnlySpan<ulong> limbs)
    {
        BigInteger value = BigInteger.Zero;
        for (int i = Limbs - 1; i >= 0; i--)
        {
            value = (value << 64) | limbs[i];
        }

        return value;
    }

    private static (BigInteger X, BigInteger Y) AddAffine(BigInteger x1, BigInteger y1, BigInteger x2, BigInteger y2)
    {
        bool same = x1 == x2;
        BigInteger rise = same ? (3 * x1 * x1) - 3 : y2 - y1;
        BigInteger run = same ? 2 * y1 : x2 - x1;
        BigInteger slope = Modulo(rise * BigInteger.ModPow(Modulo(run), Prime - 2, Prime));
        BigInteger x = Modulo((slope * slope) - x1 - x2);
        return (x, Modulo((slope * (x1 - x)) - y1));
    }

    private static BigInteger Modulo(BigInteger value)
    {
        BigInteger rest = value % Prime;
        return rest.Sign < 0 ? rest + Prime : rest;
    }

    // Jacobian plus affine; the sums here never meet a point with itself or its opposite, as each window adds a larger multiple.
    private static void AddMixed(ref Field x, ref Field y, ref Field z, Field x2, Field y2)
    {
        Field zz = Field.Multiply(z, z);
        Field h = Field.Subtract(Field.Multiply(x2, zz), x);
        Field r = Field.Subtract(Field.Multiply(y2, Field.Multiply(zz, z)), y);
        Field hh = Field.Multiply(h, h);
        Field hhh = Field.Multiply(hh, h);
        Field v = Field.Multiply(x, hh);
        Field newX = Field.Subtract(Field.Subtract(Field.Subtract(Field.Multiply(r, r), hhh), v), v);
        y = Field.Subtract(Field.Multiply(r, Field.Subtract(v, newX)), Field.Multiply(y, hhh));
        z = Field.Multiply(z, h);
        x = newX;
    }

    /// <summary>An integer modulo p in Montgomery form.</summary>
    private readonly struct Field
    {
        private readonly ulong _0, _1, _2, _3;

        private Field(ulong l0, ulong l1, ulong l2, ulong l3) => (_0, _1, _2, _3) = (l0, l1, l2, l3);

        /// <summary>2^256 mod p.</summary>
        public static Field One => new(1, 0xFFFF_FFFF_0000_0000, ulong.MaxValue, 0xFFFF_FFFE);

        public static Field From(BigInteger value)
        {
            Span<byte> bytes = stackalloc byte[Limbs * sizeof(ulong)];
            bytes.Clear();
            _ = value.TryWriteBytes(bytes, out _, isUnsigned: true);
            return new(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));
        }

        public bool Equals(Field other) => _0 == other._0 && _1 == other._1 && _2 == other._2 && _3 == other._3;

        /// <summary>a * b / 2^256 mod p, word by word (Montgomery's method; -1/p mod 2^64 is 1 for this prime).</summary>
        public static Field Multiply(Field a, Field b)
        {
            ReadOnlySpan<ulong> left = [a._0, a._1, a._2, a._3];
            ulong t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0;
            for (int i = 0; i < Limbs; i++)
            {
                ulong word = left[i];
                ulong carry = 0;
                t0 = Accumulate(t0, word, b._0, ref carry);
                t1 = Accumulate(t1, word, b._1, ref carry);
                t2 = Accumulate(t2, word, b._2, ref carry);
                t3 = Accumulate(t3, word, b._3, ref carry);
                ulong top = t4 + carry;
                ulong over = top < carry ? 1UL : 0;

                ulong factor = t0;
                carry = 0;
                _ = Accumulate(t0, factor, ulong.MaxValue, ref carry);
                t0 = Accumulate(t1, factor, 0xFFFF_FFFF, ref carry);
                t1 = Accumulate(t2, factor, 0, ref carry);
                t2 = Accumulate(t3, factor, 0xFFFF_FFFF_0000_0001, ref carry);
                t3 = top + carry;
                t4 = over + (t3 < carry ? 1UL : 0);
            }

            return Reduce(t0, t1, t2, t3, t4);
        }

        public static Field Subtract(Field a, Field b)
        {
            ulong borrow = 0;
            ulong l0 = Less(a._0, b._0, ref borrow);
            ulong l1 = Less(a._1, b._1, ref borrow);
            ulong l2 = Less(a._2, b._2, ref borrow);
            ulong l3 = Less(a._3, b._3, ref borrow);
            if (borrow == 0)
            {
                return new(l0, l1, l2, l3);
            }

            ulong carry = 0;
            return new(
                More(l0, ulong.MaxValue, ref carry),
                More(l1, 0xFFFF_FFFF, ref carry),
                More(l2, 0, ref carry),
                More(l3, 0xFFFF_FFFF_0000_0001, ref carry));
        }

        private static Field Reduce(ulong t0, ulong t1, ulong t2, ulong t3, ulong t4)
        {
            ulong borrow = 0;
            ulong l0 = Less(t0, ulong.MaxValue, ref borrow);
            ulong l1 = Less(t1, 0xFFFF_FFFF, ref borrow);
            ulong l2 = Less(t2, 0, ref borrow);
            ulong l3 = Less(t3, 0xFFFF_FFFF_0000_0001, ref borrow);
            return t4 >= borrow ? new(l0, l1, l2, l3) : new(t0, t1, t2, t3);
        }

        private static ulong Accumulate(ulong sum, ulong a, ulong b, ref ulong carry)
        {
            ulong high = Math.BigMul(a, b, out ulong low);
            low += carry;
            high += low < carry ? 1UL : 0;
            low += sum;
            high += low < sum ? 1UL : 0;
            carry = high;
            return low;
        }

        private static ulong Less(ulong a, ulong b, ref ulong borrow)
        {
            ulong first = a - b;
            ulong result = first - borrow;
            borrow = (a < b ? 1UL : 0) | (first < borrow ? 1UL : 0);
            return result;
        }

        private static ulong More(ulong a, ulong b, ref ulong carry)
        {
            ulong first = a + b;
            ulong result = first + carry;
            carry = (first < a ? 1UL : 0) | (result < first ? 1UL : 0);
            return result;
        }
    }
}
