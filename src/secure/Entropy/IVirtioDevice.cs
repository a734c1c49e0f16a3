using System;

namespace Exclaves.Entropy;

/// <summary>The device's registers and the memory that it shares with the driver.</summary>
public interface IVirtioDevice
{
    static abstract uint Read(VirtioRegister register);
    static abstract void Write(VirtioRegister register, uint value);

    /// <summary>The page that holds the queue and the device's buffer, as the driver sees it and as the device does.</summary>
    static abstract Span<byte> Memory { get; }
    static abstract ulong MemoryPhysical { get; }

    /// <summary>Everything written to memory before is visible to the device before what follows.</summary>
    static abstract void BarrierBeforeDevice();

    /// <summary>Nothing of memory is read before what came earlier.</summary>
    static abstract void BarrierAfterDevice();

    /// <summary>A moment passes.</summary>
    static abstract void Pause();

    /// <summary>Waits for the device's interrupt, which can come for nothing.</summary>
    /// <returns>False when whom the driver works for does not wait any longer, or there is no interrupt.</returns>
    static abstract bool TryWait();

    /// <summary><see cref="TryWait"/> is possible.</summary>
    static abstract bool HasInterrupt { get; }

    /// <summary>Seconds of a clock that nobody sets.</summary>
    static abstract ulong Seconds { get; }
}

/// <summary>Registers of virtio-mmio, version 2 (Virtio 1.2, 4.2.2).</summary>
public enum VirtioRegister : uint
{
    Magic = 0x000,
    Version = 0x004,
    DeviceId = 0x008,
    DeviceFeatures = 0x010,
    DeviceFeaturesSelect = 0x014,
    DriverFeatures = 0x020,
    DriverFeaturesSelect = 0x024,
    QueueSelect = 0x030,
    QueueSizeMax = 0x034,
    QueueSize = 0x038,
    QueueReady = 0x044,
    QueueNotify = 0x050,
    InterruptStatus = 0x060,
    InterruptAcknowledge = 0x064,
    Status = 0x070,
    QueueDescriptorLow = 0x080,
    QueueDescriptorHigh = 0x084,
    QueueDriverLow = 0x090,
    QueueDriverHigh = 0x094,
    QueueDeviceLow = 0x0A0,
    QueueDeviceHigh = 0x0A4,
}
