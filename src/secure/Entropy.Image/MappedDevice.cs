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
    private const uint InterruptSlot = 4;
    private const uint UntypedSlot = 5;

    /// <summary>Slots that the component fills: the notification, and its right to send with a badge, which names what the interrupt sets.</summary>
    private const uint NotificationSlot = 6;
    private const uint SignalSlot = 7;
    private const ulong SignalBit = 1;
    private const ulong Registers = UserLayout.PrivateBase;
    private const ulong Queue = UserLayout.PrivateBase + (2 * UserLayout.PageBytes);

    private static ulong _physical;
    private static bool _hasInterrupt;

    // SAFETY: Map puts the page there before the device is used.
    public static Span<byte> Memory => new((void*)Queue, (int)UserLayout.PageBytes);
    public static ulong MemoryPhysical => _physical;

    public static bool HasInterrupt => _hasInterrupt;

    /// <summary>Maps registers and queue; grants: slot 2 = the device's page, and DmaAddress.</summary>
    public static Status Map()
    {
        Status status = SecureCalls.MapDevice(DeviceSlot, Registers);
        status = status == Status.Ok ? SecureCalls.MapMemory(Queue, 1, MemoryAccess.Read | MemoryAccess.Write) : status;
        return status == Status.Ok ? SecureCalls.PhysicalAddress(Queue, out _physical) : status;
    }

    /// <summary>Grants: slot 4 = the device's interrupt, slot 5 = memory for a notification. Without them the driver polls.</summary>
    public static void BindInterrupt()
    {
        Status status = SecureCalls.Retype(UntypedSlot, ObjectKind.Notification, 0, NotificationSlot, 1);
        status = status == Status.Ok ? SecureCalls.Derive(SignalSlot, NotificationSlot, CapabilityRights.All, SignalBit) : status;
        _hasInterrupt = status == Status.Ok && SecureCalls.BindInterrupt(InterruptSlot, SignalSlot) == Status.Ok;
    }

    public static bool TryWait() => SecureCalls.Wait(NotificationSlot, out _) == Status.Ok;

    public static ulong Seconds => Arm64.ReadCntvctEl0() / Math.Max(Arm64.ReadCntfrqEl0(), 1);

    public static uint Read(VirtioRegister register) => Volatile.Read(ref Register(register));

    public static void Write(VirtioRegister register, uint value) => Volatile.Write(ref Register(register), value);

    public static void BarrierBeforeDevice() => Arm64.DmbOshst();

    public static void BarrierAfterDevice() => Arm64.DmbOsh();

    public static void Pause() => Thread.SpinWait(1);

    // SAFETY: as Memory; registers are 32 bits wide and aligned.
    private static ref uint Register(VirtioRegister register) => ref Unsafe.AsRef<uint>((void*)(Registers + (ulong)register));
}
