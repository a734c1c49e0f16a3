using Internal.Runtime.CompilerHelpers;

namespace System.Runtime.CompilerServices;

/// <summary>Questions the compiler answers at compile time.</summary>
public static class RuntimeHelpers
{
    /// <summary>The data of a literal table, in read-only memory. Replaced by the compiler.</summary>
    [Intrinsic]
    public static ReadOnlySpan<T> CreateSpan<T>(RuntimeFieldHandle fldHandle)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }

    /// <summary>A constant after compilation.</summary>
    [Intrinsic]
    public static bool IsReferenceOrContainsReferences<T>()
        where T : allows ref struct
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return true;
    }

    /// <summary>Whether the compiler has found <paramref name="t"/> to be a constant by now. Replaced by the compiler.</summary>
    [Intrinsic]
    internal static bool IsKnownConstant(nuint t)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return false;
    }
}
