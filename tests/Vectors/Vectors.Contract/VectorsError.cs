namespace Exclaves.Vectors;

/// <summary>Why <see cref="IVectors"/> refuses.</summary>
public enum VectorsError : uint
{
    None = 0,

    /// <summary>More input than a session may hold.</summary>
    TooLong = 1,
}
