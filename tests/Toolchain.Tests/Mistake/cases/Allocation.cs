using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Mistake;

/// <summary>Creates an object.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => Use(new Node { Value = value });

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Use(Node node) => node.Value;

    private sealed class Node
    {
        public int Value;
    }
}
