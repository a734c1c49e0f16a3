using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Probe;

/// <summary>Uses every feature that the core library promises, and prints one line for each.</summary>
public static unsafe class Program
{
    private static Counters _counters;
    private static Spinlock _lock;

    private static ReadOnlySpan<ulong> Words => [0x1111_2222_3333_4444, 2, 3, 0xFFFF_FFFF_FFFF_FFFF];

    private static ReadOnlySpan<byte> Bytes => [1, 2, 3, 4, 5, 6, 7, 8];

    private static ReadOnlySpan<Status> Statuses => [Status.Ok, Status.Busy, Status.Deadlock];

    [RuntimeExport("probe_main")]
    public static void Main()
    {
        Check("u8 literal"u8, "abc"u8.Length == 3 && "abc"u8[2] == (byte)'c');
        Check("ulong table"u8, Words.Length == 4 && Words[Opaque(0)] == 0x1111_2222_3333_4444 && Words[^1] == ulong.MaxValue);
        Check("enum table"u8, Statuses[Opaque(2)] == Status.Deadlock);
        Check("slice"u8, Bytes[2..5].SequenceEqual("\u0003\u0004\u0005"u8) && Bytes.IndexOf((byte)4) == 3);
        Check("statics"u8, Statics());
        Check("inline array"u8, InlineArrays());
        Check("stackalloc"u8, StackAlloc());
        Check("copies"u8, Copies());
        Check("binary primitives"u8, Binary());
        Check("bit operations"u8, Bits());
        Check("big multiplication"u8, Math.BigMul(ulong.MaxValue - (ulong)Opaque(0), ulong.MaxValue, out ulong low) == ulong.MaxValue - 1 && low == 1);
        Check("marshal"u8, Marshal());
        Check("interlocked"u8, Atomics());
        Check("volatile"u8, Volatiles());
        Check("spinlock"u8, Lock());
        Check("nullable and tuple"u8, Nullables());
        Check("static abstract"u8, Twice<Doubler>(Opaque(21)) == 42 && Twice<Squarer>(Opaque(5)) == 25);
        Check("typed addresses"u8, Addresses());
        Check("high constant address"u8, HighAddress());
        Check("generic struct"u8, new Pair<int, ulong>(Opaque(1), 2).Sum() == 3);
        Check("constant time"u8, CryptographicOperations.FixedTimeEquals("same"u8, "same"u8) && !CryptographicOperations.FixedTimeEquals("same"u8, "sane"u8));
        Check("exception level"u8, Arm64.ReadCurrentEl() == 8);
        Check("counter"u8, Arm64.ReadCntfrqEl0() != 0 && Arm64.ReadCntvctEl0() <= Arm64.ReadCntvctEl0());

        Check("tightbeam values"u8, TightbeamChecks.Values());
        Check("tightbeam buffers"u8, TightbeamChecks.Buffers());
        Check("tightbeam refusals"u8, TightbeamChecks.Refusals());
        Check("tightbeam damage"u8, TightbeamChecks.Damage());

        Print("index out of range next\n"u8);
        _ = Words[Opaque(4)];
        Print("FAIL: the index was accepted\n"u8);
    }

    /// <summary>Where the compiler's checks end.</summary>
    [RuntimeExport("exc_fail")]
    public static void Fail(uint code)
    {
        Print("exc_fail "u8);
        Put((byte)('0' + code));
        Print("\n"u8);
        PowerOff();
    }

    private static bool Statics()
    {
        _counters[3] += 5;
        _counters[3] += (ulong)Opaque(2);
        return _counters[3] == 7 && _counters[0] == 0;
    }

    private static bool InlineArrays()
    {
        Counters local = default;
        Span<ulong> view = local;
        for (int i = 0; i < view.Length; i++)
        {
            view[i] = (ulong)(i * i);
        }

        ulong sum = 0;
        foreach (ulong value in local)
        {
            sum += value;
        }

        foreach (ulong value in (ReadOnlySpan<ulong>)view)
        {
            sum += value;
        }

        return sum == 2 * 1240 && local[Opaque(15)] == 225;
    }

    private static bool StackAlloc()
    {
        Span<byte> buffer = stackalloc byte[Opaque(100)];
        buffer.Fill(0x5A);
        bool filled = buffer[0] == 0x5A && buffer[99] == 0x5A;
        buffer.Clear();
        return filled && buffer.IndexOf((byte)0x5A) == -1;
    }

    private static bool Copies()
    {
        Span<byte> buffer = stackalloc byte[300];
        Span<byte> expected = stackalloc byte[300];
        for (int length = 0; length <= 140; length++)
        {
            for (int shift = -9; shift <= 9; shift++)
            {
                for (int i = 0; i < 300; i++)
                {
                    buffer[i] = (byte)(i * 7);
                    expected[i] = (byte)(i * 7);
                }

                for (int i = 0; i < length; i++)
                {
                    expected[20 + shift + i] = (byte)((20 + i) * 7);
                }

                buffer.Slice(20, length).CopyTo(buffer[(20 + shift)..]);
                if (!buffer.SequenceEqual(expected))
                {
                    return false;
                }

                buffer.Slice(20, length).Fill(0xEE);
                expected.Slice(20, length).Clear();
                for (int i = 0; i < length; i++)
                {
                    expected[20 + i] = 0xEE;
                }

                if (!buffer.SequenceEqual(expected))
                {
                    return false;
                }

                buffer.Slice(20, length).Clear();
                expected.Slice(20, length).Clear();
                if (!buffer.SequenceEqual(expected))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool Binary()
    {
        Span<byte> buffer = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(buffer, 0x0102_0304);
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[4..], 0x1122_3344_5566_7788);
        return buffer[0] == 1
            && BinaryPrimitives.ReadUInt32LittleEndian(buffer) == 0x0403_0201
            && BinaryPrimitives.ReadUInt64BigEndian(buffer[4..]) == 0x8877_6655_4433_2211
            && BinaryPrimitives.ReverseEndianness((ushort)Opaque(0x1234)) == 0x3412;
    }

    private static bool Bits() =>
        BitOperations.LeadingZeroCount((ulong)Opaque(1)) == 63
        && BitOperations.LeadingZeroCount((uint)Opaque(0)) == 32
        && BitOperations.TrailingZeroCount((ulong)Opaque(8)) == 3
        && BitOperations.TrailingZeroCount((ulong)Opaque(0)) == 64
        && BitOperations.PopCount((ulong)Opaque(255)) == 8
        && BitOperations.Log2((ulong)Opaque(4096)) == 12
        && BitOperations.IsPow2((ulong)Opaque(64))
        && BitOperations.RotateLeft((uint)Opaque(1), 33) == 2
        && BitOperations.RoundUpToPowerOf2((uint)Opaque(33)) == 64;

    private static bool Marshal()
    {
        Span<byte> buffer = stackalloc byte[64];
        GrantEntry grant = new() { Kind = GrantKind.Device, Slot = 3, Argument = 0x1234_5678_9ABC, Badge = 9 };
        MemoryMarshal.Write(buffer[1..], in grant);
        GrantEntry back = MemoryMarshal.Read<GrantEntry>(buffer[1..]);
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(buffer);
        ref GrantEntry overlay = ref MemoryMarshal.AsRef<GrantEntry>(buffer);
        overlay = default;
        return back.Argument == 0x1234_5678_9ABC && words.Length == 16 && words[0] == 0 && Unsafe.SizeOf<GrantEntry>() == 24
            && MemoryMarshal.AsBytes(words).Length == 64 && !MemoryMarshal.TryRead(buffer[50..], out back);
    }

    private static bool Atomics()
    {
        uint word = (uint)Opaque(5);
        ulong wide = (ulong)Opaque(1) << 40;
        byte small = (byte)Opaque(7);
        return Interlocked.Increment(ref word) == 6
            && Interlocked.CompareExchange(ref word, 9, 6) == 6
            && Interlocked.CompareExchange(ref word, 1, 6) == 9
            && Interlocked.Exchange(ref word, 3) == 9
            && Interlocked.Or(ref word, 4) == 3
            && Interlocked.And(ref word, 5) == 7
            && word == 5
            && Interlocked.Add(ref wide, 1) == (1ul << 40) + 1
            && Interlocked.Decrement(ref wide) == 1ul << 40
            && Interlocked.CompareExchange(ref small, 1, 7) == 7
            && small == 1;
    }

    private static bool Volatiles()
    {
        ulong wide = 0;
        Volatile.Write(ref wide, (ulong)Opaque(3));
        Volatile.ReadBarrier();
        Thread.MemoryBarrier();
        Volatile.WriteBarrier();
        return Volatile.Read(ref wide) == 3;
    }

    private static bool Lock()
    {
        for (int i = 0; i < 3; i++)
        {
            using Spinlock.Held held = _lock.Acquire();
        }

        return true;
    }

    private static bool Nullables()
    {
        int? none = Opaque(0) == 0 ? null : 1;
        int? some = Opaque(4);
        (int First, ulong Second) pair = (some.Value, 6);
        return !none.HasValue && none.GetValueOrDefault(8) == 8 && pair == (4, 6ul);
    }

    private static bool Addresses() =>
        PhysAddr.TryFrom(1ul << 40, out _) == Status.BadAddress
        && PhysAddr.TryFrom((ulong)Opaque(0x4020_0000), out PhysAddr address) == Status.Ok
        && address.Frame.Value == 0x4_0200
        && address.Frame.Base == address
        && VirtAddr.TryFrom(0x8000_0000_0000_0000, out _) == Status.BadAddress;

    /// <summary>See Unsafe.Settle in the core library: a constant above 4 GiB must survive a local reference.</summary>
    private static bool HighAddress()
    {
        const ulong High = 0x7F00_0020_2000;
        Span<byte> span = new((void*)High, 4096);
        ref ulong word = ref Unsafe.AsRef<ulong>((void*)High);
        return (ulong)Unsafe.AsPointer(ref MemoryMarshal.GetReference(span[Opaque(1)..])) == High + 1
            && (ulong)Unsafe.AsPointer(ref word) == High;
    }

    private static int Twice<T>(int value)
        where T : struct, IOperation => T.Apply(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Opaque(int value) => value;

    private static void Check(ReadOnlySpan<byte> name, bool passed)
    {
        Print(passed ? "ok "u8 : "FAIL "u8);
        Print(name);
        Print("\n"u8);
    }

    private static void Print(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
        {
            Put(value);
        }
    }

    private static void Put(byte value) =>
        // SAFETY: boot maps the PL011 as device memory at its machine address; offset 0 is the data register.
        Volatile.Write(ref Unsafe.AsRef<uint>((void*)Virt.Uart), value);

    [RuntimeImport("*", "power_off")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void PowerOff();

    private interface IOperation
    {
        static abstract int Apply(int value);
    }

    private struct Doubler : IOperation
    {
        public static int Apply(int value) => value * 2;
    }

    private struct Squarer : IOperation
    {
        public static int Apply(int value) => value * value;
    }

    private readonly struct Pair<TFirst, TSecond>(TFirst first, TSecond second)
        where TFirst : unmanaged
        where TSecond : unmanaged
    {
        private readonly TFirst _first = first;
        private readonly TSecond _second = second;

        public ulong Sum()
        {
            TFirst a = _first;
            TSecond b = _second;
            return Unsafe.As<TFirst, uint>(ref a) + Unsafe.As<TSecond, ulong>(ref b);
        }
    }

    [InlineArray(16)]
    private struct Counters
    {
        private ulong _first;
    }
}
