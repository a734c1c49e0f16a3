using System.Runtime;

namespace Exclaves.Mistake;

/// <summary>Keeps an object reference in a static field.</summary>
public static class Case
{
    private static object? s_last;

    [RuntimeExport("mistake")]
    public static int Run()
    {
        bool known = s_last == (object)"text";
        s_last = "text";
        return known ? 1 : 0;
    }
}
