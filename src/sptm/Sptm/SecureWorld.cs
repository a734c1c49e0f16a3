using System.Threading;

namespace Exclaves.Sptm;

/// <summary>Whether calls may enter SK. Zero lets nobody in.</summary>
public enum SecureWorldState : uint
{
    /// <summary>SK has not set itself up yet.</summary>
    Starting = 0,
    Open = 1,

    /// <summary>SK panicked, or the machine ends. Final.</summary>
    Closed = 2,

    /// <summary>SK panicked and one CPU makes the report. Nobody enters, nobody goes on inside.</summary>
    Reporting = 3,
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
        Interlocked.CompareExchange(ref state, (uint)SecureWorldState.Open, (uint)SecureWorldState.Starting);

    public static void Close(ref uint state) => Volatile.Write(ref state, (uint)SecureWorldState.Closed);

    /// <summary>True for the one CPU that makes the report of a panic.</summary>
    public static bool TryReport(ref uint state)
    {
        uint before = Volatile.Read(ref state);
        return before is (uint)SecureWorldState.Starting or (uint)SecureWorldState.Open
            && Interlocked.CompareExchange(ref state, (uint)SecureWorldState.Reporting, before) == before;
    }

    public static bool IsOpen(ref uint state) => Volatile.Read(ref state) == (uint)SecureWorldState.Open;

    /// <summary>Nothing of the secure world may run another instruction.</summary>
    public static bool HasEnded(ref uint state) => Volatile.Read(ref state) is (uint)SecureWorldState.Closed or (uint)SecureWorldState.Reporting;
}
