using System;

namespace Exclaves.Sptm;

/// <summary>Reads the SMMU's event queue: one event for each transaction of a device that was refused.</summary>
/// <remarks>
/// The SMMU writes while we read, and a device can be told to fail without end, so one call takes at most what the queue holds. When it was full,
/// events are lost; that is counted as one more, and acknowledged so that recording goes on (Arm IHI 0070, 7.2, 7.4, 7.5).
/// </remarks>
public struct SmmuEvents
{
    private const uint IndexMask = (1u << SmmuTables.EventQueueBits) - 1;
    private const uint WrapMask = (IndexMask << 1) | 1;
    private const uint Overflow = 1u << 31;

    private uint _consumer;

    /// <summary>Address that the last refused transaction named.</summary>
    public ulong LastAddress;

    /// <summary>Stream id (PCI requester id) of the last refused transaction.</summary>
    public uint LastStream;

    /// <summary>Takes what is there and answers how many refusals that makes.</summary>
    /// <param name="registers">Physical address of the SMMU's register page 0.</param>
    /// <param name="queue">The event queue's words.</param>
    public uint Drain<TBus>(ulong registers, ReadOnlySpan<ulong> queue)
        where TBus : struct, IDeviceBus
    {
        uint producer = TBus.Read32(registers + SmmuRegister.EventqProd);
        uint count = (producer - _consumer) & WrapMask;
        bool lost = ((producer ^ _consumer) & Overflow) != 0;
        if (count != 0)
        {
            int last = (int)((producer - 1) & IndexMask) * SmmuTables.EventWords;
            LastStream = (uint)(queue[last] >> 32);
            LastAddress = queue[last + 2];
        }

        if (producer != _consumer)
        {
            _consumer = producer & (WrapMask | Overflow);
            TBus.Write32(registers + SmmuRegister.EventqCons, _consumer);
        }

        uint errors = TBus.Read32(registers + SmmuRegister.Gerror);
        if (((errors ^ TBus.Read32(registers + SmmuRegister.GerrorN)) & SmmuRegister.GerrorEventQueueAbort) != 0)
        {
            lost = true;
            TBus.Write32(registers + SmmuRegister.GerrorN, errors);
        }

        return (count > IndexMask + 1 ? IndexMask + 1 : count) + (lost ? 1u : 0);
    }
}
