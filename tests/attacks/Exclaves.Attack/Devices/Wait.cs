using System;
using System.Diagnostics;
using System.Threading;

namespace Exclaves.Attack;

/// <summary>Waits for what a device does, each time with an end.</summary>
internal static class Wait
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Fails with <paramref name="otherwise"/> when it does not come true.</summary>
    public static void Until(Func<bool> condition, string otherwise)
    {
        if (!For(condition))
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    /// <summary>Whether it came true in the time that any device of the machine takes.</summary>
    public static bool For(Func<bool> condition) => For(condition, Limit);

    /// <summary>Whether it came true in time.</summary>
    public static bool For(Func<bool> condition, TimeSpan limit)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > limit)
            {
                return condition();
            }

            Thread.Yield();
        }

        return true;
    }
}
