using System.Runtime.CompilerServices;

namespace System;

/// <summary>Root of the type system. Nothing here can be allocated; frozen literals exist.</summary>
/// <remarks>The first field is the type pointer: contract with the compiler.</remarks>
public class Object
{
#pragma warning disable CS0169, IDE0044, IDE0051 // Read by the compiler's code alone.
    private nint _methodTable;
#pragma warning restore CS0169, IDE0044, IDE0051

    public Object()
    {
    }

    public virtual bool Equals(object? obj) => (object)this == obj;

    public virtual int GetHashCode() => 0;

    public virtual string? ToString() => null;
}

/// <summary>Base of structs.</summary>
public abstract class ValueType;

/// <summary>Base of enumerations.</summary>
public abstract class Enum : ValueType;

/// <summary>Base of delegates, which cannot be created: the members that would are absent.</summary>
public abstract class Delegate;

/// <summary>What the compiler derives delegates from.</summary>
public abstract class MulticastDelegate : Delegate;

/// <summary>Named by attribute arguments alone.</summary>
public abstract class Type;

/// <summary>Of frozen literals: a 32-bit length, then the characters.</summary>
public sealed class String
{
#pragma warning disable CS0649, IDE0044 // Laid out by the compiler.
    private int _stringLength;
    private char _firstChar;
#pragma warning restore CS0649, IDE0044

    public int Length => _stringLength;

    [IndexerName("Chars")]
    public char this[int index]
    {
        get
        {
            if ((uint)index >= (uint)_stringLength)
            {
                Internal.Runtime.CompilerHelpers.ThrowHelpers.ThrowIndexOutOfRangeException();
            }

            return Unsafe.Add(ref _firstChar, index);
        }
    }
}

/// <summary>Base of arrays: a length word. There is no Array&lt;T&gt;, so creating one is a compile error.</summary>
public abstract class Array
{
#pragma warning disable CS0649, IDE0044 // Laid out by the compiler.
    private int _numComponents;
#pragma warning restore CS0649, IDE0044

    public int Length => _numComponents;
}
