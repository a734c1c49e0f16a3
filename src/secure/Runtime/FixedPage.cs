using System;
using System.Runtime.CompilerServices;

namespace Exclaves.Runtime;

/// <summary>A span over memory at an address that the layout fixes.</summary>
/// <remarks>
/// Not `new Span((void*)constant, n)`: ilc 10.0.12 loads only the low 32 bits of a constant reference that a method returns as part
/// of a span. Behind a call that is not inlined, the address is a value like any other.
/// </remarks>
public static unsafe class FixedPage
{
    public static Span<byte> Span(ulong address, int bytes) => new((void*)Opaque(address), bytes);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Opaque(ulong address) => address;
}
