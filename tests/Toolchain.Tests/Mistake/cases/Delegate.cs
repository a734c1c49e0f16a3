using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Makes a delegate.</summary>
public static class Case
{
    private delegate int Operation(int value);

    [RuntimeExport("mistake")]
    public static int Run(int value)
    {
        Operation twice = x => x * value;
        return twice(value);
    }
}
