using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>No mistake: proves that the others fail for their own reason.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => value + 1;
}
