using System.Runtime;
using System.Runtime.CompilerServices;

namespace System.Threading;

/// <summary>The two static members that make sense without threads.</summary>
public static class Thread
{
    public static void MemoryBarrier() => Interlocked.MemoryBarrier();

    /// <summary>Tells the core that this is a wait loop.</summary>
    public static void SpinWait(int iterations)
    {
        for (int i = 0; i < iterations; i++)
        {
            Pause();
        }
    }

    [RuntimeImport("*", "exc_pause")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Pause();
}
