using System.Runtime;
using System.Runtime.CompilerServices;

namespace System;

/// <summary>Copies and clears. The compiler calls these for large structs; all three are assembly.</summary>
internal static class SpanHelpers
{
    [RuntimeImport("*", "exc_memmove")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern void Memmove(ref byte dest, ref byte src, nuint len);

    [RuntimeImport("*", "exc_memclear")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern void ClearWithoutReferences(ref byte dest, nuint len);

    [RuntimeImport("*", "exc_memset")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    internal static extern void Fill(ref byte dest, byte value, nuint len);
}

/// <summary>Required by the compiler; would copy object references, which do not exist here.</summary>
internal static class Buffer
{
    internal static void BulkMoveWithWriteBarrier() =>
        Internal.Runtime.CompilerHelpers.ThrowHelpers.ThrowFeatureBodyRemoved();
}
