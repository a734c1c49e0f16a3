using System.Threading;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>The lock of <see cref="KitState"/>: a word, and SK for those who find it taken. It counts the epochs of all waits, since SK compares those of different ids.</summary>
/// <remarks>
/// Never held while the program runs, nor during a wait for a sibling. A waiter takes the epoch before it looks at the word, and a holder counts it up after it has cleared
/// the word: so the holder wakes the waiter, or SK knows that it is too late to wait. SK helps the holder, whoever waits for it.
/// </remarks>
public struct KitLock
{
    /// <summary>Of the ids of the conclave's waits; threads have their numbers.</summary>
    public const ulong Id = ulong.MaxValue;

    private const uint WaitersBit = 1u << 31;
    private const int Spins = 64;

    /// <summary>1 + the holder's number, and whether somebody waits; 0: free.</summary>
    private uint _word;
    private ulong _epoch;

    /// <summary>Later than all before it.</summary>
    public ulong NextEpoch() => Interlocked.Increment(ref _epoch);

    public void Acquire<TMachine>(ref TMachine machine, int thread)
        where TMachine : struct, IKitWaits
    {
        uint mine = (uint)thread + 1;
        for (int spins = 0; Interlocked.CompareExchange(ref _word, mine, 0) != 0; spins++)
        {
            if (spins < Spins) { continue; }

            ulong epoch = Volatile.Read(ref _epoch);
            uint seen = Volatile.Read(ref _word);
            bool isMarked = seen != 0
                && ((seen & WaitersBit) != 0 || Interlocked.CompareExchange(ref _word, seen | WaitersBit, seen) == seen);
            if (isMarked) { _ = machine.WaitEpoch(Id, epoch, seen & ~WaitersBit, 0); }
        }
    }

    public void Release<TMachine>(ref TMachine machine)
        where TMachine : struct, IKitWaits
    {
        if ((Interlocked.Exchange(ref _word, 0) & WaitersBit) != 0)
        {
            machine.WakeEpoch(Id, NextEpoch(), EpochWake.All, 0);
        }
    }
}
