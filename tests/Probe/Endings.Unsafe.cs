using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>Ways for a component to end. The report has to name each, and the functions here.</summary>
internal static unsafe class Endings
{
    private const ulong Code = UserLayout.PrivateBase + (64 * UserLayout.PageBytes);

    public static void End(ProbeFault fault)
    {
        switch (fault)
        {
            case ProbeFault.IllegalInstruction:
                Undefined();
                break;
            case ProbeFault.StackOverflow:
                _ = Descend(1);
                break;
            case ProbeFault.QuotaExhausted:
                TakeAllMemory();
                break;
            case ProbeFault.MisalignedAccess:
                Misaligned(UserLayout.StartInfo + 1);
                break;
            case ProbeFault.ExecuteData:
                JumpToData();
                break;
            case ProbeFault.WriteReadOnly:
                WriteStartInfo();
                break;
            case ProbeFault.FailedCheck:
                _ = BeyondTheEnd((int)fault);
                break;
            default:
                break;
        }
    }

    /// <summary>Each call needs what the next one answers, so that no jump replaces it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Descend(ulong depth)
    {
        ulong here = depth;
        return Descend(Volatile.Read(ref here) + 1) + here;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TakeAllMemory()
    {
        for (ulong at = Code; SecureCalls.MapMemory(at, 1, MemoryAccess.Read | MemoryAccess.Write) == Status.Ok; at += UserLayout.PageBytes)
        {
        }

        SecureCalls.Exit(ExitCode.QuotaExhausted);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void JumpToData()
    {
        // SAFETY: none, on purpose: nothing that can be written can be executed.
        if (SecureCalls.MapMemory(Code, 1, MemoryAccess.Read | MemoryAccess.Write) == Status.Ok)
        {
            ((delegate*<void>)Code)();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteStartInfo()
    {
        // SAFETY: none, on purpose: the page is there to be read.
        Volatile.Write(ref Unsafe.AsRef<ulong>((void*)UserLayout.StartInfo), 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int BeyondTheEnd(int index)
    {
        ReadOnlySpan<byte> few = "few"u8;
        return few[index];
    }

    [RuntimeImport("*", "probe_misaligned")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Misaligned(ulong address);

    [RuntimeImport("*", "probe_undefined")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void Undefined();
}
