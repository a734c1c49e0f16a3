using System.Runtime.CompilerServices;
using Internal.Runtime.CompilerHelpers;

namespace System.Threading;

/// <summary>Atomic read-modify-write, sequentially consistent. Inline instructions: needs Normal memory, so not before the MMU is on.</summary>
public static class Interlocked
{
    [Intrinsic]
    public static void MemoryBarrier() => ThrowHelpers.ThrowFeatureBodyRemoved();

    [Intrinsic]
    public static byte CompareExchange(ref byte location1, byte value, byte comparand)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static byte Exchange(ref byte location1, byte value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static ushort CompareExchange(ref ushort location1, ushort value, ushort comparand)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static ushort Exchange(ref ushort location1, ushort value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static int CompareExchange(ref int location1, int value, int comparand)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static int Exchange(ref int location1, int value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static long CompareExchange(ref long location1, long value, long comparand)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [Intrinsic]
    public static long Exchange(ref long location1, long value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint CompareExchange(ref uint location1, uint value, uint comparand) =>
        (uint)CompareExchange(ref Unsafe.As<uint, int>(ref location1), (int)value, (int)comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Exchange(ref uint location1, uint value) =>
        (uint)Exchange(ref Unsafe.As<uint, int>(ref location1), (int)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CompareExchange(ref ulong location1, ulong value, ulong comparand) =>
        (ulong)CompareExchange(ref Unsafe.As<ulong, long>(ref location1), (long)value, (long)comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Exchange(ref ulong location1, ulong value) =>
        (ulong)Exchange(ref Unsafe.As<ulong, long>(ref location1), (long)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(ref int location1, int value) => ExchangeAdd(ref location1, value) + value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Increment(ref int location) => Add(ref location, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Decrement(ref int location) => Add(ref location, -1);

    /// <summary>The value before.</summary>
    [Intrinsic]
    public static int And(ref int location1, int value)
    {
        int current = location1;
        while (true)
        {
            int before = CompareExchange(ref location1, current & value, current);
            if (before == current)
            {
                return before;
            }

            current = before;
        }
    }

    /// <summary>The value before.</summary>
    [Intrinsic]
    public static int Or(ref int location1, int value)
    {
        int current = location1;
        while (true)
        {
            int before = CompareExchange(ref location1, current | value, current);
            if (before == current)
            {
                return before;
            }

            current = before;
        }
    }

    [Intrinsic]
    private static int ExchangeAdd(ref int location1, int value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Add(ref long location1, long value) => ExchangeAdd(ref location1, value) + value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Increment(ref long location) => Add(ref location, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Decrement(ref long location) => Add(ref location, -1);

    /// <summary>The value before.</summary>
    [Intrinsic]
    public static long And(ref long location1, long value)
    {
        long current = location1;
        while (true)
        {
            long before = CompareExchange(ref location1, current & value, current);
            if (before == current)
            {
                return before;
            }

            current = before;
        }
    }

    /// <summary>The value before.</summary>
    [Intrinsic]
    public static long Or(ref long location1, long value)
    {
        long current = location1;
        while (true)
        {
            long before = CompareExchange(ref location1, current | value, current);
            if (before == current)
            {
                return before;
            }

            current = before;
        }
    }

    [Intrinsic]
    private static long ExchangeAdd(ref long location1, long value)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(ref uint location1, uint value) => (uint)Add(ref Unsafe.As<uint, int>(ref location1), (int)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Increment(ref uint location) => Add(ref location, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Decrement(ref uint location) => (uint)Add(ref Unsafe.As<uint, int>(ref location), -1);

    /// <summary>The value before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint And(ref uint location1, uint value) => (uint)And(ref Unsafe.As<uint, int>(ref location1), (int)value);

    /// <summary>The value before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Or(ref uint location1, uint value) => (uint)Or(ref Unsafe.As<uint, int>(ref location1), (int)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ref ulong location1, ulong value) => (ulong)Add(ref Unsafe.As<ulong, long>(ref location1), (long)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Increment(ref ulong location) => Add(ref location, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Decrement(ref ulong location) => (ulong)Add(ref Unsafe.As<ulong, long>(ref location), -1);

    /// <summary>The value before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong And(ref ulong location1, ulong value) => (ulong)And(ref Unsafe.As<ulong, long>(ref location1), (long)value);

    /// <summary>The value before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Or(ref ulong location1, ulong value) => (ulong)Or(ref Unsafe.As<ulong, long>(ref location1), (long)value);
}
