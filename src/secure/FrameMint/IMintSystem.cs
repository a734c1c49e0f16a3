using Exclaves.Abi;

namespace Exclaves.FrameMint;

/// <summary>What FrameMint asks of SK.</summary>
public interface IMintSystem
{
    /// <summary>Makes one pool of the untyped memory in a slot. Status.NoMemory: it holds no further one. Status.BadCapability: nothing is in the slot.</summary>
    static abstract Status MakePool(uint from, uint pool);

    /// <summary>ExclaveKit's pages are its text from now on, for all conclaves.</summary>
    static abstract Status MintKit(uint kit);
}
