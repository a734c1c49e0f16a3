namespace Exclaves.SecureKernel;

/// <summary>How far a revocation has come with closing what is to go. Zero: none is at it.</summary>
/// <remarks>What follows <see cref="Root"/> in the order of derivation is closed up to <see cref="Last"/>; whatever is derived meanwhile is derived from one behind that.</remarks>
public struct Closing
{
    /// <summary>Physical addresses of slots.</summary>
    public ulong Root;
    public ulong Last;
}
