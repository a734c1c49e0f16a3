using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>The SMMU of this machine: started once on tables that never change, then only asked what it refused.</summary>
public static unsafe class Smmu
{
    private static ulong _tables;
    private static uint _isOn;
    private static SmmuEvents _events;

    /// <summary>Leaf lock: held for one look at the event queue, never while anything else is awaited.</summary>
    private static Spinlock _lock;

    /// <summary>Physical address of tables and queues.</summary>
    public static ulong Tables => _tables;

    /// <summary>Boot: names zeroed memory for tables and queues.</summary>
    public static void Place(ulong address) => _tables = address;

    /// <summary>Boot, after the frame table is complete.</summary>
    public static bool TryStart(out ReadOnlySpan<byte> rule)
    {
        // SAFETY: Place named zeroed memory of this size, which nothing else uses.
        Span<ulong> memory = new((void*)_tables, (int)(SmmuTables.Bytes / sizeof(ulong)));
        if (!SmmuTables.TryBuild(memory, _tables, Monitor.Frames))
        {
            rule = "the DMA window falls into too many parts"u8;
            return false;
        }

        El2.CleanRange(_tables, _tables + SmmuTables.Bytes);
        bool started = SmmuControl<DeviceBus>.TryStart(Virt.Smmu, _tables, out rule);
        Volatile.Write(ref _isOn, started ? 1u : 0);
        return started;
    }

    /// <summary>Brings the counters of refused transactions up to date. Bounded, whatever devices do.</summary>
    public static void CountRefusals()
    {
        if (Volatile.Read(ref _isOn) == 0)
        {
            return;
        }

        using Spinlock.Held held = _lock.Acquire();

        // SAFETY: the event queue is part of the memory that Place named.
        ReadOnlySpan<ulong> queue = new((void*)(_tables + SmmuTables.EventQueue), SmmuTables.EventWords << SmmuTables.EventQueueBits);
        uint count = _events.Drain<DeviceBus>(Virt.Smmu, queue);
        if (count != 0)
        {
            // Counters are sums over CPUs: these three live on CPU 0 alone, and under this lock.
            PerCpu* first = Monitor.Cpu(0);
            first->Counters[(int)SptmCounter.RefusedDma] += count;
            first->Counters[(int)SptmCounter.RefusedDmaAddress] = _events.LastAddress;
            first->Counters[(int)SptmCounter.RefusedDmaStream] = _events.LastStream;
        }
    }
}
