namespace Exclaves.Vectors;

/// <summary>How a computation ended.</summary>
public enum Outcome : uint
{
    None = 0,

    /// <summary>There is a result; of a signature: it is genuine.</summary>
    Computed = 1,

    /// <summary>Tag or signature are not genuine.</summary>
    Rejected = 2,

    /// <summary>An exception that is no judgement of tag or signature.</summary>
    Threw = 3,
}
