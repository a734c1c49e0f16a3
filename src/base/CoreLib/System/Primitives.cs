namespace System;

#pragma warning disable CS0169, CS0649, IDE0044, IDE0051 // The value lives in a field that only the compiler's code touches.
#pragma warning disable CA1066, CA1067, CA2231, CS0661, CS0660 // Equality of a primitive is an instruction.

/// <summary>The type of methods that return nothing.</summary>
public struct Void;

/// <summary>Names a type in metadata.</summary>
public struct RuntimeTypeHandle
{
    private nint _value;
}

/// <summary>Names a method in metadata.</summary>
public struct RuntimeMethodHandle
{
    private nint _value;
}

/// <summary>Names a field in metadata: the operand of <see cref="Runtime.CompilerServices.RuntimeHelpers.CreateSpan{T}"/>.</summary>
public struct RuntimeFieldHandle
{
    private nint _value;
}

/// <summary>True or false, one byte.</summary>
public readonly struct Boolean : IEquatable<bool>
{
    private readonly bool _value;

    public bool Equals(bool other) => _value == other;
}

/// <summary>A UTF-16 code unit.</summary>
public readonly struct Char : IEquatable<char>
{
    public const char MaxValue = '\uffff';
    public const char MinValue = '\0';

    private readonly char _value;

    public bool Equals(char other) => _value == other;
}

/// <summary>8-bit signed integer.</summary>
public readonly struct SByte : IEquatable<sbyte>
{
    public const sbyte MaxValue = 127;
    public const sbyte MinValue = -128;

    private readonly sbyte _value;

    public bool Equals(sbyte other) => _value == other;
}

/// <summary>8-bit unsigned integer.</summary>
public readonly struct Byte : IEquatable<byte>
{
    public const byte MaxValue = 255;
    public const byte MinValue = 0;

    private readonly byte _value;

    public bool Equals(byte other) => _value == other;
}

/// <summary>16-bit signed integer.</summary>
public readonly struct Int16 : IEquatable<short>
{
    public const short MaxValue = 0x7FFF;
    public const short MinValue = -0x8000;

    private readonly short _value;

    public bool Equals(short other) => _value == other;
}

/// <summary>16-bit unsigned integer.</summary>
public readonly struct UInt16 : IEquatable<ushort>
{
    public const ushort MaxValue = 0xFFFF;
    public const ushort MinValue = 0;

    private readonly ushort _value;

    public bool Equals(ushort other) => _value == other;
}

/// <summary>32-bit signed integer.</summary>
public readonly struct Int32 : IEquatable<int>
{
    public const int MaxValue = 0x7FFF_FFFF;
    public const int MinValue = unchecked((int)0x8000_0000);

    private readonly int _value;

    public bool Equals(int other) => _value == other;
}

/// <summary>32-bit unsigned integer.</summary>
public readonly struct UInt32 : IEquatable<uint>
{
    public const uint MaxValue = 0xFFFF_FFFF;
    public const uint MinValue = 0;

    private readonly uint _value;

    public bool Equals(uint other) => _value == other;
}

/// <summary>64-bit signed integer.</summary>
public readonly struct Int64 : IEquatable<long>
{
    public const long MaxValue = 0x7FFF_FFFF_FFFF_FFFF;
    public const long MinValue = unchecked((long)0x8000_0000_0000_0000);

    private readonly long _value;

    public bool Equals(long other) => _value == other;
}

/// <summary>64-bit unsigned integer.</summary>
public readonly struct UInt64 : IEquatable<ulong>
{
    public const ulong MaxValue = 0xFFFF_FFFF_FFFF_FFFF;
    public const ulong MinValue = 0;

    private readonly ulong _value;

    public bool Equals(ulong other) => _value == other;
}

/// <summary>Pointer-sized signed integer.</summary>
public readonly struct IntPtr : IEquatable<nint>
{
    private readonly nint _value;

    public static nint Zero => 0;

    public static int Size => 8;

    public bool Equals(nint other) => _value == other;
}

/// <summary>Pointer-sized unsigned integer.</summary>
public readonly struct UIntPtr : IEquatable<nuint>
{
    private readonly nuint _value;

    public static nuint Zero => 0;

    public static int Size => 8;

    public bool Equals(nuint other) => _value == other;
}
