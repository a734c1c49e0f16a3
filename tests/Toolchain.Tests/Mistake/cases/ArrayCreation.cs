using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Creates an array.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => new int[value].Length;
}
