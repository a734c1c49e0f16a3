using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Mistake;

/// <summary>Uses a struct through an interface-typed parameter.</summary>
public static class Case
{
    [RuntimeExport("mistake")]
    public static int Run(int value) => Use(new Thing(value));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Use(INumber number) => number.Get();

    private interface INumber
    {
        int Get();
    }

    private readonly struct Thing(int value) : INumber
    {
        private readonly int _value = value;

        public int Get() => _value;
    }
}
