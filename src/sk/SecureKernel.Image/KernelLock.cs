using System.Runtime.CompilerServices;
using System.Threading;

namespace Exclaves.SecureKernel.Image;

/// <summary>SK's one lock: fair, taken with interrupts masked, opened for good by a panic so that no CPU waits for ever (I12).</summary>
internal struct KernelLock
{
    private uint _nextTicket;
    private uint _served;
    private uint _broken;

    public readonly bool IsBroken => Volatile.Read(in _broken) != 0;

    /// <summary>For the holder: another CPU waits.</summary>
    public readonly bool IsWanted => Volatile.Read(in _nextTicket) != _served + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Acquire()
    {
        uint ticket = Interlocked.Increment(ref _nextTicket) - 1;
        if (Volatile.Read(ref _served) != ticket || IsBroken)
        {
            Wait(ticket);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Wait(uint ticket)
    {
        while (Volatile.Read(ref _served) != ticket)
        {
            if (IsBroken)
            {
                break;
            }

            System.Threading.Thread.SpinWait(1);
        }

        if (IsBroken)
        {
            Epitaph.StopAfterOther();
        }
    }

    public void Release() => Volatile.Write(ref _served, _served + 1);

    /// <summary>True for the first CPU that asks.</summary>
    public bool TryBreak() => Interlocked.Exchange(ref _broken, 1) == 0;
}
