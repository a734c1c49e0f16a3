using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Throws.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => value > 0 ? value : throw null!;
}
