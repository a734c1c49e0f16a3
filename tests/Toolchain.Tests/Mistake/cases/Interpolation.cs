using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Builds a string.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => $"value {value}".Length;
}
