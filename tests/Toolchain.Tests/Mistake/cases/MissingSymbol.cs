using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Mistake;

/// <summary>Imports a routine that no assembly defines.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static ulong Run() => Nowhere();

    [RuntimeImport("*", "nowhere")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong Nowhere();
}
