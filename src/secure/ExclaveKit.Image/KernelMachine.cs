using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.ExclaveKit;

/// <summary>The machine as it is: SK's calls and the processor's counter.</summary>
internal unsafe struct KernelMachine : IKitMachine
{
    public ulong Counter => Arm64.ReadCntvctEl0();

    public ulong CounterFrequency => Arm64.ReadCntfrqEl0();

    public ulong SignalReturn => Kernel.SignalReturnAddress();

    // SAFETY: SK maps the page in every component before its first instruction, for good; only this code uses it.
    public Span<byte> MessagePage => new((void*)UserLayout.IpcPage, (int)UserLayout.PageBytes);

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

    public Status Receive() => Kernel.Call(SecureCall.Receive);

    public Status ReplyReceive() => Kernel.Call(SecureCall.ReplyReceive);

    public Status Reply() => Kernel.Call(SecureCall.Reply);

    public Status Call(uint slot) => Kernel.Call(SecureCall.Call, slot);

    public void Yield() => _ = Kernel.Call(SecureCall.Yield);

    public void Log(ReadOnlySpan<byte> line)
    {
        // SAFETY: only the address is passed on; the line lies in our data or on our stack until the call returns.
        _ = Kernel.Call(SecureCall.Log, (ulong)Unsafe.AsPointer(ref MemoryMarshal.GetReference(line)), (ulong)line.Length);
    }

    public void Exit(ulong code) => _ = Kernel.Call(SecureCall.Exit, code);

    // SAFETY: only the address is passed on; contexts lie in pages of the component, not in memory that moves.
    public void Exit(ulong code, ref UserContext program) => _ = Kernel.Call(SecureCall.Exit, code, (ulong)Unsafe.AsPointer(ref program));
}
