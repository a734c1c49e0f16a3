using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Mistake;

/// <summary>Holds more than its budget of 4096 bytes.</summary>
public static class Case
{
    private static Block _block;

    [RuntimeExport("mistake")]
    public static int Run(int value) => _block[value & 0x1FFF]++;

    [InlineArray(0x2000)]
    private struct Block
    {
        private int _first;
    }
}
