using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>Boot stage 3. The first call that opens a service's session goes to FrameMint first and begins anew with its answer: XnuProxy waits for nobody, and a Linux that never asks costs nothing.</summary>
public static class Booting<TSystem> where TSystem : struct, IProxySystem
{
    /// <summary>Whether somebody is there who mints.</summary>
    public static bool HasMint()
    {
        for (uint i = 0; TSystem.Component(i, out ComponentStatus component) == Status.Ok; i++)
        {
            if ((component.Flags & ComponentFlags.FrameMint) != 0)
            {
                return true;
            }
        }

        return false;
    }

    public static bool IsDue(in ProxyState state) => state.HasMint && state.Stage == ExclavesStatus.ExclaveCore;

    /// <summary>Hands a call to FrameMint. Others that come meanwhile go the same way: it does its work once.</summary>
    public static Decision Begin(ref ProxyState state, ulong downcall, in SharedPlace argument)
    {
        TSystem.Message = default;
        TSystem.Message.Label = MessageLabel.Populate;
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF)];
        request.Begin(in argument, MessageCommand.OpenSession);
        request.Populates = true;
        request.Downcall = downcall;
        state.RequestCount++;
        return Decision.Populate(downcall, argument.Address + argument.Bytes);
    }

    /// <summary>FrameMint has answered or cannot be asked, or the caller was killed while he waited for it, which says nothing of FrameMint: then it is still due.</summary>
    /// <returns>Where the call that was put off lies.</returns>
    public static SharedPlace End(ref ProxyState state, ref Request request, Status status)
    {
        request.Populates = false;
        request.Downcall = 0;
        state.RequestCount--;
        state.Stage = status switch
        {
            Status.Ok => ExclavesStatus.ExclaveKit,
            Status.Busy or Status.Cancelled => state.Stage,
            _ => state.Stage == ExclavesStatus.ExclaveKit ? state.Stage : ExclavesStatus.Failure,
        };
        return request.Argument;
    }
}
