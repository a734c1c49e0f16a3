using System;

namespace Internal.Runtime.CompilerHelpers;

/// <summary>Required when a span table is read through <see cref="System.Runtime.CompilerServices.RuntimeHelpers.CreateSpan{T}"/>; the compiler replaces the use.</summary>
internal static class LdTokenHelpers
{
    internal static RuntimeFieldHandle GetRuntimeFieldHandle(nint handle)
    {
        ThrowHelpers.ThrowFeatureBodyRemoved();
        return default;
    }
}
