using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Exclaves.Machine;

/// <summary>A fair lock between CPUs: whoever drew the lower number goes first.</summary>
/// <remarks>All zero is free. Needs Normal memory (MMU on). Not re-entrant; holders keep interrupts masked.</remarks>
public struct Spinlock
{
    private uint _nextTicket;
    private uint _served;

    /// <summary>Waits for the turn. The result proves that the lock is held; `using` gives it back.</summary>
    [UnscopedRef]
    public Held Acquire()
    {
        uint ticket = Interlocked.Increment(ref _nextTicket) - 1;
        while (Volatile.Read(ref _served) != ticket)
        {
            Thread.SpinWait(1);
        }

        return new Held(ref _served);
    }

    /// <summary>Proof of a held lock: parameter of whatever needs it.</summary>
    public readonly ref struct Held
    {
        private readonly ref uint _served;

        internal Held(ref uint served) => _served = ref served;

        /// <summary>Everything done under the lock is visible before the next holder runs.</summary>
        public void Dispose() => Volatile.Write(ref _served, _served + 1);
    }
}
