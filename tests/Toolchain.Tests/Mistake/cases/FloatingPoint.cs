using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Computes with floating point, which kernels do not save for themselves.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => (int)(value * 1.5);
}
