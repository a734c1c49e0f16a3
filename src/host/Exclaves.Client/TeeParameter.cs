using System;
using System.Runtime.InteropServices;

namespace Exclaves.Client;

/// <summary>Which way the contents of a memory parameter travel.</summary>
public enum TeeDirection : uint
{
    In = 5,
    Out = 6,
    InOut = 7,
}

/// <summary>One parameter of a call: nothing, three values, or a piece of <see cref="SharedMemory"/>.</summary>
/// <remarks>The kernel's own layout, 32 bytes. The default value is "none".</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct TeeParameter
{
    private const ulong ValueIn = 1;
    private const ulong ValueOut = 2;
    private const ulong ValueInOut = 3;
    private const ulong NullReference = ulong.MaxValue;

    private ulong _attributes;

    /// <summary>Values: the first one. Memory: offset in the shared memory.</summary>
    public ulong A;

    /// <summary>Values: the second one. Memory: bytes; after the call the bytes used or, when too small, needed.</summary>
    public ulong B;

    /// <summary>Values: the third one. Memory: number of the shared memory.</summary>
    public ulong C;

    public static TeeParameter None => default;

    public static TeeParameter Input(ulong a, ulong b = 0, ulong c = 0) =>
        new() { _attributes = ValueIn, A = a, B = b, C = c };

    public static TeeParameter Output() => new() { _attributes = ValueOut };

    public static TeeParameter InputOutput(ulong a, ulong b = 0, ulong c = 0) =>
        new() { _attributes = ValueInOut, A = a, B = b, C = c };

    /// <summary>Lends <paramref name="bytes"/> of <paramref name="memory"/> from <paramref name="offset"/> on for one call.</summary>
    public static TeeParameter Memory(SharedMemory memory, TeeDirection direction, int offset, int bytes)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + bytes, memory.Bytes);
        return new() { _attributes = (ulong)direction, A = (ulong)offset, B = (ulong)bytes, C = (ulong)memory.Id };
    }

    /// <summary>A null reference: asks an operation for the size it would need.</summary>
    public static TeeParameter NullMemory(TeeDirection direction, ulong bytes = 0) =>
        new() { _attributes = (ulong)direction, B = bytes, C = NullReference };

    /// <summary>Whatever the caller says, unchecked: for tests of what the kernel and the secure world refuse.</summary>
    public static TeeParameter Raw(ulong attributes, ulong a, ulong b, ulong c) =>
        new() { _attributes = attributes, A = a, B = b, C = c };
}
