using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>The monitor's whole state, in one place. Written at boot, later under <see cref="LockStage2"/> alone, but for the flags.</summary>
/// <remarks>Lock order: stage-2 lock, then console. SK's locks are never held while the monitor waits.</remarks>
public static unsafe class Monitor
{
    public static MachineDescription Description;
    public static ImagePlan Plan;
    public static ImagePolicy Policy;
    public static Stage2<Stage2Machine> LinuxTables;
    public static Stage2<Stage2Machine> SecureTables;
    public static TablePool Tables;

    private static ulong _frames;
    private static int _frameCount;
    private static Spinlock _stage2;

    /// <summary>A <see cref="SecureWorldState"/>.</summary>
    private static uint _secureWorld;

    /// <summary>1: the machine ends.</summary>
    private static uint _ending;

    /// <summary>Counter at the panic of the secure world; 0: there was none.</summary>
    private static ulong _panicTicks;

    /// <summary>1: a driver of Linux started afresh and SK has not been told.</summary>
    private static uint _resetPending;

    public static FrameTable Frames => new(new Span<FrameEntry>((void*)_frames, _frameCount), Virt.RamBase);

    public static bool IsSecureOpen => SecureWorld.IsOpen(ref _secureWorld);

    /// <summary>Nothing of the secure world may run another instruction.</summary>
    public static bool HasSecureEnded => SecureWorld.HasEnded(ref _secureWorld);

    /// <summary>SK has not yet answered that it is ready.</summary>
    public static bool IsSecureStarting => Volatile.Read(ref _secureWorld) == (uint)SecureWorldState.Starting;

    public static PerCpu* Cpu(int number) => (PerCpu*)(El2.PerCpuBase() + (number * 4096));

    /// <summary>Boot: names the zeroed memory of the frame table.</summary>
    public static void PlaceFrameTable(ulong address, int frameCount)
    {
        _frames = address;
        _frameCount = frameCount;
    }

    public static void OpenSecure() => SecureWorld.Open(ref _secureWorld);

    public static void CloseSecure() => SecureWorld.Close(ref _secureWorld);

    /// <summary>The machine ends: who comes out of the secure world, or is about to enter, stays out.</summary>
    public static bool IsEnding => Volatile.Read(ref _ending) != 0;

    public static void BeginEnd()
    {
        CloseSecure();
        Volatile.Write(ref _ending, 1);
    }

    /// <summary>The call that waits for good after a panic. Written once, before anybody is answered.</summary>
    public static ParkedCall Parked;

    /// <summary>True for the one CPU that makes the report of a panic.</summary>
    public static bool TryReport(ulong now, in ParkedCall parked)
    {
        if (Interlocked.CompareExchange(ref _panicTicks, now, 0ul) != 0)
        {
            return false;
        }

        Parked = parked;
        return SecureWorld.TryReport(ref _secureWorld);
    }

    /// <summary>x0 of a yielding call while the secure world is not open.</summary>
    public static ulong AnswerOfEnd(ulong now, ulong frequency) =>
        PanicGate.Answer((SecureWorldState)Volatile.Read(ref _secureWorld), Volatile.Read(ref _panicTicks), now, frequency);

    public static void AnnounceReset() => Volatile.Write(ref _resetPending, 1);

    /// <summary>True once per announcement, for the CPU that is to tell SK.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TakeReset() => Volatile.Read(ref _resetPending) != 0 && Interlocked.Exchange(ref _resetPending, 0u) != 0;

    /// <summary>Guards frame table, tables and pool.</summary>
    public static Spinlock.Held LockStage2() => _stage2.Acquire();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Count(PerCpu* cpu, SptmCounter counter) => ((ulong*)&cpu->Counters)[(int)counter]++;

    /// <summary>Sum over all CPUs; each CPU writes its own words, so a sum is right up to what happens meanwhile.</summary>
    public static ulong Counter(SptmCounter counter)
    {
        ulong sum = 0;
        for (int i = 0; i < Description.CpuCount; i++)
        {
            sum += Volatile.Read(ref Cpu(i)->Counters[(int)counter]);
        }

        return sum;
    }
}
