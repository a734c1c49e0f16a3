using Exclaves.Abi;

namespace Exclaves.ObjectModel;

/// <summary>Where system and model first differ; the walk ends there.</summary>
public struct WalkDifference
{
    /// <summary>False: there is none.</summary>
    public bool IsSome;

    /// <summary><see cref="SecureCall.None"/>: memory at address X0, not a call.</summary>
    public SecureCall Call;
    public ulong X0;
    public ulong X1;
    public ulong X2;
    public ulong X3;
    public Status Came;
    public Status Due;

    /// <summary>x1 of the answer, or the word in memory.</summary>
    public ulong CameValue;
    public ulong DueValue;
}
