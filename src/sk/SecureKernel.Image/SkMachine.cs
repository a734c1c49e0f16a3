using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.SecureKernel.Image;

/// <summary>The machine itself: SK's direct map, maintenance instructions, the gate.</summary>
internal readonly unsafe struct SkMachine : IMachine
{
    /// <summary>VA of physical address 0 in the direct map (entry.S).</summary>
    public const ulong DirectMap = 0xFFFF_0000_0000_0000;

    private const ulong PendingMask = 0xC0; // ISR_EL1: I and F.
    private const int SpaceShift = 48;
    private const ulong PageNumberMask = 0xFFF_FFFF_FFFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ulong physical) where T : struct
    {
        // SAFETY: callers name frames that SK owns or addresses that AddressSpace and Boot have checked; stage 2 denies all others.
        return ref Unsafe.AsRef<T>((void*)(physical + DirectMap));
    }

    public static void Copy(ulong to, ulong from, ulong bytes)
    {
        // SAFETY: as At; lengths are bounded by the page that holds them.
        NativeMemory.Copy((void*)(from + DirectMap), (void*)(to + DirectMap), (nuint)bytes);
    }

    public static void Clear(ulong page)
    {
        // SAFETY: as At.
        NativeMemory.Clear((void*)(page + DirectMap), (nuint)Limits.PageBytes);
    }

    public static void WriteEntry(ulong physical, ulong value)
    {
        Volatile.Write(ref At<ulong>(physical), value);
        Arm64.DsbIshst();
    }

    public static void InvalidatePage(ulong space, ulong address)
    {
        Arm64.TlbiVae1is((space << SpaceShift) | ((address >> 12) & PageNumberMask));
        Arm64.DsbIsh();
        Arm64.Isb();
    }

    public static void InvalidateSpace(ulong space)
    {
        Arm64.DsbIshst();
        Arm64.TlbiAside1is(space << SpaceShift);
        Arm64.DsbIsh();
        Arm64.Isb();
    }

    public static void InvalidateInstructions()
    {
        Arm64.DsbIsh();
        Arm64.IcIalluis();
        Arm64.DsbIsh();
        Arm64.Isb();
    }

    public static bool InterruptPending() => (Arm64.ReadIsrEl1() & PendingMask) != 0;

    public static bool IsWaitedFor()
    {
        bool waits = InterruptPending() || Kernel.Lock.IsWanted;
        if (!waits)
        {
            Kernel.NoteLook();
        }

        return waits;
    }

    public static ulong Counter() => Arm64.ReadCntvctEl0();

    public static ulong CounterHertz() => Arm64.ReadCntfrqEl0();

    public static bool LinuxRead(ulong linux, ulong secure, ulong bytes) => Gate.Call(SkFunction.LinuxRead, linux, secure, bytes);

    public static bool LinuxWrite(ulong linux, ulong secure, ulong bytes) => Gate.Call(SkFunction.LinuxWrite, linux, secure, bytes);

    public static bool ArgumentDone(ulong linux) => Gate.Call(SkFunction.ArgumentDone, linux);

    public static bool Share(ulong page) => Gate.Call(SkFunction.Borrow, page);

    public static bool Unshare(ulong page) => Gate.Call(SkFunction.Return, page);

    public static bool Retype(ulong page, FrameType from, FrameType to) => Gate.Call(SkFunction.Retype, page, (ulong)from, (ulong)to);

    public static void NotifyLinux() => Gate.Call(SkFunction.Notify, 0);

    public static void Kick(ulong cpus) => Gate.Call(SkFunction.Kick, cpus);

    public static void Log(ulong text, ulong bytes) => Gate.Call(SkFunction.Log, text, bytes);

    public static void SptmCounters(ulong words) => Gate.Call(SkFunction.Counters, words);

    public static void Panic(PanicCode code, ulong detail0, ulong detail1, ulong detail2) => Epitaph.Stop(code, detail0, detail1, detail2);
}
