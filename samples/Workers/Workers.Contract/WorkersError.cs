namespace Exclaves.Samples.Workers;

/// <summary>Why <see cref="IWorkers"/> refuses.</summary>
public enum WorkersError : uint
{
    None = 0,

    /// <summary>More data than a session may have.</summary>
    TooLong = 1,

    /// <summary>No data, or leaves without a byte.</summary>
    NoLeaves = 2,

    /// <summary>More numbers than one call may look at.</summary>
    TooMany = 3,
}
