using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.ExclaveKit;

/// <summary>The machine as it is: SK's calls and the processor's counter.</summary>
internal unsafe struct KernelMachine : IKitMachine
{
    public ulong Counter => Arm64.ReadCntvctEl0();

    public ulong CounterFrequency => Arm64.ReadCntfrqEl0();

    // SAFETY: SK maps the start information read only for the life of the component, and writes whole words.
    public ulong DonatedPages => Volatile.Read(ref Unsafe.AsRef<StartInfo>((void*)UserLayout.StartInfo).DonatedPages);

    public ulong SignalReturn => Kernel.SignalReturnAddress();

    public ulong CallEntry => Kernel.CallAddress();

    // SAFETY: SK maps a thread's page before its first instruction, for as long as it lives; only that thread uses it.
    public Span<byte> MessagePage(int thread) => new((void*)MessagePageAddress(thread), (int)UserLayout.PageBytes);

    public ulong MessagePageAddress(int thread) => UserLayout.IpcPageOf((uint)thread);

    // SAFETY: kit.S reserves the first thread's page, SK maps the others as the message page. SK writes it on the way into the handler and reads it on the way out.
    public ref UserContext Context(int thread) => ref Unsafe.AsRef<UserContext>((void*)ContextAddress(thread));

    /// <summary>Whose context page it is.</summary>
    public int ThreadOf(ulong context) => context == Kernel.ContextAddress() ? 0 : (int)((context - UserLayout.ThreadBase) / UserLayout.ThreadSpan);

    public int StartThread() => Kernel.StartThread();

    public void ExitThread()
    {
        _ = Kernel.Call(SecureCall.ExitThread);

        // SK keeps the first thread as long as the conclave lives.
        while (true) { _ = Kernel.Call(SecureCall.WaitEpoch, KitLock.Id - 1, ulong.MaxValue); }
    }

    public void Kick(int thread) => _ = Kernel.Call(SecureCall.Kick, (ulong)thread);

    public Status WaitEpoch(ulong id, ulong epoch, uint owner, ulong deadline) => Kernel.Call(SecureCall.WaitEpoch, id, epoch, owner, deadline);

    public void WakeEpoch(ulong id, ulong epoch, EpochWake whom, int thread) => _ = Kernel.Call(SecureCall.WakeEpoch, id, epoch, (ulong)whom, (ulong)thread);

    public void Barrier() => _ = Kernel.Call(SecureCall.Barrier);

    public Status Map(ulong address, ulong pages, MemoryAccess access) => Kernel.Call(SecureCall.MapMemory, address, pages, (ulong)access);

    public void Unmap(ulong address, ulong pages) => _ = Kernel.Call(SecureCall.UnmapMemory, address, pages);

    public Status Protect(ulong address, ulong pages, MemoryAccess access) => Kernel.Call(SecureCall.ProtectMemory, address, pages, (ulong)access);

    public void Read(ulong address, Span<byte> destination)
    {
        // SAFETY: the personality has made these pages present; if the program lied about its own image, its conclave ends by a fault.
        new ReadOnlySpan<byte>((void*)address, destination.Length).CopyTo(destination);
    }

    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        // SAFETY: as for Read.
        source.CopyTo(new Span<byte>((void*)address, source.Length));
    }

    public Status Call(uint slot) => Kernel.Call(SecureCall.Call, slot);

    public Status Send(uint slot) => Kernel.Call(SecureCall.Send, slot);

    public void Yield() => _ = Kernel.Call(SecureCall.Yield);

    public void Log(ReadOnlySpan<byte> line)
    {
        // SAFETY: only the address is passed on; the line lies in our data or on our stack until the call returns.
        _ = Kernel.Call(SecureCall.Log, (ulong)Unsafe.AsPointer(ref MemoryMarshal.GetReference(line)), (ulong)line.Length);
    }

    public void Exit(ulong code) => _ = Kernel.Call(SecureCall.Exit, code);

    // SAFETY: only the address is passed on; contexts lie in pages of the component, not in memory that moves.
    public void Exit(ulong code, ref UserContext program) => _ = Kernel.Call(SecureCall.Exit, code, (ulong)Unsafe.AsPointer(ref program));

    private static ulong ContextAddress(int thread) => thread == 0 ? Kernel.ContextAddress() : UserLayout.ContextPageOf((uint)thread);
}
