using System;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>The module's device: kernel-level accesses, calls and pages on request.</summary>
internal sealed unsafe partial class AttackDevice : IDisposable
{
    public const string Path = "/dev/exclave_attack";

    private const int PageBytes = 4096;
    private const int ProtectExecute = 4;
    private const int SignalBus = 7;

    private int _descriptor;

    private AttackDevice(int descriptor) => _descriptor = descriptor;

    public static AttackDevice Open()
    {
        int descriptor = Libc.Open(Path, Libc.ReadWrite | Libc.CloseOnExec);
        return descriptor >= 0
            ? new AttackDevice(descriptor)
            : throw new InvalidOperationException($"cannot open {Path} (errno {Marshal.GetLastPInvokeError()}): is exclave_attack.ko loaded, and is this root?");
    }

    public AttackRequest Run(AttackKind kind, params ReadOnlySpan<ulong> words) => RunAs(kind, 0, words);

    /// <summary>A store in a kernel thread of its own, by the instruction that <paramref name="form"/> says.</summary>
    public AttackRequest Store(StoreForm form, params ReadOnlySpan<ulong> words) => RunAs(AttackKind.WriteDirect, (uint)form, words);

    private AttackRequest RunAs(AttackKind kind, uint flags, ReadOnlySpan<ulong> words)
    {
        AttackRequest request = new() { Kind = kind, Flags = flags };
        words.CopyTo(request.In);

        // SAFETY: request is a local; the kernel reads and writes its 144 bytes (layout test).
        int outcome = Libc.Ioctl(_descriptor, AttackRequest.Number, (nint)(&request));
        return outcome >= 0
            ? request
            : throw new InvalidOperationException($"{Path}: request {kind} failed (errno {Marshal.GetLastPInvokeError()})");
    }

    /// <summary>One HVC with x0..x7.</summary>
    public CallResult Call(params ReadOnlySpan<ulong> registers) => CallAs(CallForm.Hypervisor, registers);

    /// <summary>One SMC with x0..x7: how Linux calls the firmware.</summary>
    public CallResult CallFirmware(params ReadOnlySpan<ulong> registers) => CallAs(CallForm.Firmware, registers);

    /// <summary>One call with x0..x7 by the instruction that <paramref name="form"/> says.</summary>
    public CallResult CallAs(CallForm form, params ReadOnlySpan<ulong> registers)
    {
        AttackRequest request = new() { Kind = AttackKind.Call, Flags = (uint)form };
        registers.CopyTo(request.In);

        // SAFETY: as in Run.
        return Libc.Ioctl(_descriptor, AttackRequest.Number, (nint)(&request)) >= 0
            ? new CallResult(request.Out[0], request.Out[1], request.Out[2], request.Out[3])
            : throw new InvalidOperationException($"{Path}: a call failed (errno {Marshal.GetLastPInvokeError()})");
    }

    /// <summary>SPTM's own counter; null when nothing answers the vendor call.</summary>
    public ulong? Counter(SptmCounter counter)
    {
        CallResult result = Call(Tee.ExclavesCounter, (ulong)counter);
        return result.X0 == 0 ? result.X1 : null;
    }

    /// <summary>A page of Linux's own memory, mapped here. It belongs to the module until that is unloaded.</summary>
    /// <param name="forDevices">From memory that devices may reach.</param>
    public KernelPage NewPage(bool forDevices = false)
    {
        AttackRequest request = Run(AttackKind.Page, forDevices ? 1u : 0u);
        return request.Error == 0
            ? new KernelPage(request.Out[0], Map(request.Out[0], execute: false))
            : throw new InvalidOperationException($"{Path}: no kernel page (error {request.Error})");
    }

    /// <summary>Maps registers of a device into this process; the address is a multiple of 4 KiB.</summary>
    public RegisterRange MapRegisters(ulong address, int bytes) => new(Map(address, execute: false, bytes), bytes);

    /// <summary>Copies memory until a page refuses; the answer is how many bytes came.</summary>
    public ulong Dump(ulong address, Span<byte> destination)
    {
        // SAFETY: destination is pinned for the call and the kernel writes at most its length.
        fixed (byte* pointer = destination)
        {
            return Run(AttackKind.Dump, address, (ulong)destination.Length, (ulong)pointer).Out[0];
        }
    }

    /// <summary>
    /// Maps the page into this process and touches it. The signal that a refused access raises gets its default action: this process ends.
    /// </summary>
    public ulong Touch(ulong address, string access, int bytes, ulong value, bool restore)
    {
        // SAFETY: signal 7 with action 0 (default): nothing of this process needs a handler of it.
        _ = Signal(SignalBus, 0);
        nint page = Map(address & ~(ulong)(PageBytes - 1), execute: access == "fetch");
        byte* at = (byte*)page + (address % PageBytes);

        // SAFETY: at lies in the page that Map just mapped; what the access does is the experiment.
        switch (access)
        {
            case "read":
                return Load(at, bytes);

            case "write":
                ulong before = restore ? Load(at, bytes) : 0;
                Store(at, bytes, value);
                ulong after = Load(at, bytes);
                if (restore)
                {
                    Store(at, bytes, before);
                }

                return after;

            default:
                uint old = restore ? Volatile.Read(ref *(uint*)at) : 0;
                if (restore)
                {
                    Volatile.Write(ref *(uint*)at, ReturnInstruction);
                }

                ((delegate* unmanaged<void>)at)();
                if (restore)
                {
                    Volatile.Write(ref *(uint*)at, old);
                }

                return 1;
        }
    }

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor);
        }
    }

    private const uint ReturnInstruction = 0xD65F_03C0;

    private static ulong Load(byte* at, int bytes) =>
        bytes == sizeof(uint) ? Volatile.Read(ref *(uint*)at) : Volatile.Read(ref *(ulong*)at);

    private static void Store(byte* at, int bytes, ulong value)
    {
        if (bytes == sizeof(uint))
        {
            Volatile.Write(ref *(uint*)at, (uint)value);
        }
        else
        {
            Volatile.Write(ref *(ulong*)at, value);
        }
    }

    private nint Map(ulong address, bool execute, int bytes = PageBytes)
    {
        int protection = Libc.ProtectReadWrite | (execute ? ProtectExecute : 0);
        nint mapped = Libc.Map(0, (nuint)bytes, protection, Libc.MapShared, _descriptor, (long)address);
        return mapped != Libc.MapFailed
            ? mapped
            : throw new InvalidOperationException($"{Path}: cannot map 0x{address:x} (errno {Marshal.GetLastPInvokeError()})");
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int number, nint action);
}

/// <summary>x0..x3 after a call.</summary>
internal readonly record struct CallResult(ulong X0, ulong X1, ulong X2, ulong X3);

/// <summary>A page of Linux's kernel that this process sees too.</summary>
internal sealed unsafe class KernelPage
{
    private readonly nint _mapped;

    public KernelPage(ulong address, nint mapped)
    {
        Address = address;
        _mapped = mapped;
    }

    /// <summary>Physical.</summary>
    public ulong Address { get; }

    public Span<byte> Bytes
    {
        get
        {
            // SAFETY: the mapping of this page is never undone while the process lives.
            return new Span<byte>((void*)_mapped, 4096);
        }
    }
}
