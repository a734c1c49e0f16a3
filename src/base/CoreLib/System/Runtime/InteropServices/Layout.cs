namespace System.Runtime.InteropServices;

public enum LayoutKind
{
    Sequential = 0,
    Explicit = 2,
    Auto = 3,
}

/// <summary>Named by the compiler for the `unmanaged` constraint.</summary>
public enum UnmanagedType
{
    Bool = 2,
}

[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class StructLayoutAttribute(LayoutKind layoutKind) : Attribute
{
#pragma warning disable CA1051, CA1720, SA1401 // Attribute fields: the compiler names them.
    public int Pack;
    public int Size;
#pragma warning restore CA1051, CA1720, SA1401

    public LayoutKind Value { get; } = layoutKind;
}

[AttributeUsage(AttributeTargets.Field)]
public sealed class FieldOffsetAttribute(int offset) : Attribute
{
    public int Value { get; } = offset;
}

[AttributeUsage(AttributeTargets.Parameter)]
public sealed class InAttribute : Attribute;

[AttributeUsage(AttributeTargets.Parameter)]
public sealed class OutAttribute : Attribute;
