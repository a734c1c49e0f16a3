namespace Exclaves.LogServer;

/// <summary>What the book remembers beside its slots. Zero is an empty book that redacts nothing.</summary>
public struct LogState
{
    /// <summary>Components of a system, at most: SK's table has no more.</summary>
    public const int MaxSources = 96;

    public ulong LastSequence;
    public ulong LastMicroseconds;

    /// <summary>Slots in use; they fill from the first on, and stay in use.</summary>
    public int Used;
    public int Oldest;
    public int Newest;

    /// <summary>A production image: private parts are not kept.</summary>
    public bool Redacts;
    public LogSources Sources;
}
