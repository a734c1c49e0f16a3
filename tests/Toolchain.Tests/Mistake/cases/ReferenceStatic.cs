using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Keeps an object reference in a static field.</summary>
public static class Case
{
    private static object? _last;

    [RuntimeExport("mistake")]
    public static int Run()
    {
        bool known = _last == (object)"text";
        _last = "text";
        return known ? 1 : 0;
    }
}
