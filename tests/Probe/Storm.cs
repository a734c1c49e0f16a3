using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>One thread derives and moves, another takes everything back: whatever the order, each call succeeds or is refused for a reason that can be.</summary>
internal static class Storm
{
    private const uint First = Capabilities.StormRoot + 1;
    private const uint Slots = 40;

    /// <summary>A third of it from the capability that is being revoked, the rest from whatever lies there.</summary>
    public static ulong Derive(ulong rounds, out ulong wrong)
    {
        ulong made = 0;
        wrong = 0;
        for (ulong i = 0; i < rounds && wrong == 0; i++)
        {
            uint to = First + (uint)(i % Slots);
            uint from = i % 3 == 0 ? Capabilities.StormRoot : First + (uint)(i * 7 % Slots);
            Status status = i % 5 == 4 && from != Capabilities.StormRoot ? SecureCalls.Move(to, from) : SecureCalls.Derive(to, from, CapabilityRights.All, 0);
            made += status == Status.Ok ? 1ul : 0;
            wrong = status is Status.Ok or Status.BadState or Status.BadCapability or Status.Revoked ? 0 : 1ul + (ulong)status;
        }

        return made;
    }

    /// <summary>Takes all back, or a part of it.</summary>
    public static ulong Revoke(ulong rounds, out ulong wrong)
    {
        ulong complete = 0;
        wrong = 0;
        for (ulong i = 0; i < rounds && wrong == 0; i++)
        {
            uint some = First + (uint)(i * 11 % Slots);
            Status status = (i % 4) switch
            {
                0 => SecureCalls.Delete(some),
                1 => SecureCalls.Revoke(some),
                _ => SecureCalls.Revoke(Capabilities.StormRoot),
            };
            complete += status == Status.Ok ? 1ul : 0;
            wrong = status is Status.Ok or Status.BadCapability ? 0 : 1ul + (ulong)status;
        }

        return complete;
    }
}
