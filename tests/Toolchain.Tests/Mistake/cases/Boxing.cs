using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Mistake;

/// <summary>Boxes a number.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static bool Run(int value) => Use(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Use(object boxed) => boxed is int;
}
