using Exclaves.Abi;

namespace Exclaves.FrameMint;

/// <summary>Boot stage 3: pools out of the memory that is left, then ExclaveKit's text. All of it or nothing: the text is what .NET conclaves wait for, so it comes last.</summary>
public static class Mint<TSystem> where TSystem : struct, IMintSystem
{
    /// <summary>Does it once. Again is success; after a failure it stays one.</summary>
    public static Status Populate(ref MintState state)
    {
        if (state.Stage == ExclavesStatus.NotDefined)
        {
            Status status = MakePools(ref state);
            status = status == Status.Ok ? TSystem.MintKit(MintSlots.Kit) : status;
            state.Stage = status == Status.Ok ? ExclavesStatus.ExclaveKit : ExclavesStatus.Failure;
        }

        return state.Stage == ExclavesStatus.ExclaveKit ? Status.Ok : Status.Failed;
    }

    /// <summary>Pools of one size, so that each can be given and taken back alone. What holds none stays untyped memory, as it is.</summary>
    private static Status MakePools(ref MintState state)
    {
        for (uint from = MintSlots.Rest; state.Pools < MintSlots.MaxPools;)
        {
            Status status = TSystem.MakePool(from, MintSlots.Pools + state.Pools);
            switch (status)
            {
                case Status.Ok:
                    state.Pools++;
                    break;
                case Status.NoMemory:
                    from++;
                    break;
                case Status.BadCapability:
                    return Status.Ok;
                default:
                    return status;
            }
        }

        return Status.Ok;
    }
}
