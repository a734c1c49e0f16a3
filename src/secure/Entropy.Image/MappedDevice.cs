using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;
using Exclaves.Runtime;

namespace Exclaves.Entropy.Image;

/// <summary>The device in its page, and a page of own memory for the queue.</summary>
internal readonly unsafe struct MappedDevice : IVirtioDevice
{
    private const uint DeviceSlot = 2;
    private const ulong Registers = UserLayout.PrivateBase;
    private const ulong Queue = UserLayout.PrivateBase + (2 * UserLayout.PageBytes);

    private static ulong _physical;

    // SAFETY: Map puts the page there before the device is used.
    public static Span<byte> Memory => new((void*)Queue, (int)UserLayout.PageBytes);
    public static ulong MemoryPhysical => _physical;

    /// <summary>Maps registers and queue; grants: slot 2 = the device's page, and DmaAddress.</summary>
    public static Status Map()
    {
        Status status = SecureCalls.MapDevice(DeviceSlot, Registers);
        status = status == Status.Ok ? SecureCalls.MapMemory(Queue, 1, MemoryAccess.Read | MemoryAccess.Write) : status;
        return status == Status.Ok ? SecureCalls.PhysicalAddress(Queue, out _physical) : status;
    }

    public static uint Read(VirtioRegister register) => Volatile.Read(ref Register(register));

    public static void Write(VirtioRegister register, uint value) => Volatile.Write(ref Register(register), value);

    public static void BarrierBeforeDevice() => Arm64.DmbOshst();

    public static void BarrierAfterDevice() => Arm64.DmbOsh();

    public static void Pause() => Thread.SpinWait(1);

    // SAFETY: as Memory; registers are 32 bits wide and aligned.
    private static ref uint Register(VirtioRegister register) => ref Unsafe.AsRef<uint>((void*)(Registers + (ulong)register));
}
