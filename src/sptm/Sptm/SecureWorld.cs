namespace Exclaves.Sptm;

/// <summary>Whether calls may enter SK. Zero lets nobody in.</summary>
public enum SecureWorldState : uint
{
    /// <summary>SK has not set itself up yet.</summary>
    Starting = 0,
    Open = 1,

    /// <summary>SK panicked, or the machine ends. Final.</summary>
    Closed = 2,
}

/// <summary>How that state changes: it opens once and never again after it closed (I12).</summary>
/// <remarks>
/// SK leaves its set-up on every CPU that starts, also on one that was on its way while another CPU closed the secure world;
/// that must not open it again.
/// </remarks>
public static class SecureWorld
{
    /// <summary>SK has set itself up on a CPU.</summary>
    public static void Open(ref uint state) =>
        System.Threading.Interlocked.CompareExchange(ref state, (uint)SecureWorldState.Open, (uint)SecureWorldState.Starting);

    public static void Close(ref uint state) => System.Threading.Volatile.Write(ref state, (uint)SecureWorldState.Closed);

    public static bool IsOpen(ref uint state) => System.Threading.Volatile.Read(ref state) == (uint)SecureWorldState.Open;
}
