using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Entropy;

/// <summary>virtio-rng behind virtio-mmio: one queue of one descriptor, polled for a moment; then the driver sleeps until the device's interrupt, or polls on with bounded patience.</summary>
/// <remarks>
/// The page: 0 descriptor table (16 bytes) | 64 available ring | 128 used ring | 2048 the device's buffer. The device may write to all of it at any
/// time: what it says is read once and checked, and bytes leave through a copy. Its output is passed on as it is; output that stands still is refused.
/// </remarks>
public struct RandomDevice<TDevice> where TDevice : struct, IVirtioDevice
{
    public const int AvailableOffset = 64;
    public const int UsedOffset = 128;
    public const int BufferOffset = 2048;
    public const int BufferBytes = 2048;

    /// <summary>Polls before the device counts as dead, where it has no interrupt.</summary>
    public const uint Patience = 2_000_000;

    /// <summary>Polls before the driver sleeps: most answers come within them.</summary>
    public const uint Polls = 20_000;

    /// <summary>How long an answer may take where the driver sleeps.</summary>
    public const ulong PatienceSeconds = 10;

    private const uint MagicValue = 0x7472_6976; // "virt", little endian
    private const uint ModernVersion = 2;
    private const uint EntropyId = 4;
    private const ushort DescriptorWrite = 2;
    private const ushort AvailableNoInterrupt = 1;

    private const uint StatusAcknowledge = 1;
    private const uint StatusDriver = 2;
    private const uint StatusDriverOk = 4;
    private const uint StatusFeaturesOk = 8;
    private const uint StatusFailed = 128;

    /// <summary>VIRTIO_F_VERSION_1: bit 32, bit 0 of the second word.</summary>
    private const uint FeatureVersion1 = 1;

    private bool _isReady;
    private ushort _index;

    /// <summary>Bytes that the device was asked for and has not given: a caller who was cancelled left them to the next one. 0 = none.</summary>
    private int _asked;
    private ulong _since;

    public readonly bool IsReady => _isReady;

    /// <summary>Brings the device up (Virtio 1.2, 3.1.1). <see cref="Status.DeviceError"/> when it is another one, or does not play.</summary>
    public Status Initialize()
    {
        _isReady = false;
        if (TDevice.Read(VirtioRegister.Magic) != MagicValue
            || TDevice.Read(VirtioRegister.Version) != ModernVersion
            || TDevice.Read(VirtioRegister.DeviceId) != EntropyId)
        {
            return Status.DeviceError;
        }

        TDevice.Write(VirtioRegister.Status, 0);
        for (uint i = 0; TDevice.Read(VirtioRegister.Status) != 0; i++)
        {
            if (i == Patience)
            {
                return Status.DeviceError;
            }

            TDevice.Pause();
        }

        TDevice.Write(VirtioRegister.Status, StatusAcknowledge | StatusDriver);
        TDevice.Write(VirtioRegister.DeviceFeaturesSelect, 1);
        if ((TDevice.Read(VirtioRegister.DeviceFeatures) & FeatureVersion1) == 0)
        {
            return Fail();
        }

        TDevice.Write(VirtioRegister.DriverFeaturesSelect, 0);
        TDevice.Write(VirtioRegister.DriverFeatures, 0);
        TDevice.Write(VirtioRegister.DriverFeaturesSelect, 1);
        TDevice.Write(VirtioRegister.DriverFeatures, FeatureVersion1);
        TDevice.Write(VirtioRegister.Status, StatusAcknowledge | StatusDriver | StatusFeaturesOk);
        if ((TDevice.Read(VirtioRegister.Status) & StatusFeaturesOk) == 0 || !TryPlaceQueue())
        {
            return Fail();
        }

        TDevice.Write(VirtioRegister.Status, StatusAcknowledge | StatusDriver | StatusFeaturesOk | StatusDriverOk);
        _index = 0;
        _asked = 0;
        _isReady = true;
        return Status.Ok;
    }

    /// <summary>Fills <paramref name="output"/>, or fails as a whole and leaves it zero. <see cref="Status.Cancelled"/>: the caller went away while the device took its time.</summary>
    public Status Fill(scoped Span<byte> output)
    {
        int done = 0;
        while (done < output.Length)
        {
            int wanted = Math.Min(output.Length - done, BufferBytes);
            Status status = _isReady ? Request(wanted, out int got) : NotReady(out got);
            if (status != Status.Ok)
            {
                output.Clear();
                return status;
            }

            Span<byte> part = output.Slice(done, got);
            Buffer(got).CopyTo(part);
            Buffer(BufferBytes).Clear();
            done += got;
        }

        if (IsStuck(output))
        {
            output.Clear();
            return Status.DeviceError;
        }

        return Status.Ok;
    }

    /// <summary>A device that repeats one byte for 16 bytes or more does not give randomness (chance of that: 2^-120).</summary>
    public static bool IsStuck(scoped ReadOnlySpan<byte> output)
    {
        const int Suspicious = 16;
        int run = 1;
        for (int i = 1; i < output.Length; i++)
        {
            run = output[i] == output[i - 1] ? run + 1 : 1;
            if (run >= Suspicious)
            {
                return true;
            }
        }

        return false;
    }

    private static Status NotReady(out int got)
    {
        got = 0;
        return Status.DeviceError;
    }

    private static bool TryPlaceQueue()
    {
        TDevice.Write(VirtioRegister.QueueSelect, 0);
        if (TDevice.Read(VirtioRegister.QueueReady) != 0 || TDevice.Read(VirtioRegister.QueueSizeMax) == 0)
        {
            return false;
        }

        TDevice.Memory.Clear();
        ulong page = TDevice.MemoryPhysical;
        TDevice.Write(VirtioRegister.QueueSize, 1);
        WriteAddress(VirtioRegister.QueueDescriptorLow, VirtioRegister.QueueDescriptorHigh, page);
        WriteAddress(VirtioRegister.QueueDriverLow, VirtioRegister.QueueDriverHigh, page + AvailableOffset);
        WriteAddress(VirtioRegister.QueueDeviceLow, VirtioRegister.QueueDeviceHigh, page + UsedOffset);
        TDevice.BarrierBeforeDevice();
        TDevice.Write(VirtioRegister.QueueReady, 1);
        return TDevice.Read(VirtioRegister.QueueReady) == 1;
    }

    /// <summary>One buffer to the device and back. The used index must move by one, and the length lie within what was offered.</summary>
    private Status Request(int wanted, out int got)
    {
        got = 0;
        if (_asked == 0)
        {
            Offer(wanted);
        }

        for (uint i = 0; ; i++)
        {
            ushort used = BinaryPrimitives.ReadUInt16LittleEndian(TDevice.Memory[(UsedOffset + 2)..]);
            if (used == _index)
            {
                return Take(wanted, out got);
            }

            if (used != (ushort)(_index - 1) || (i >= Patience && !TDevice.HasInterrupt))
            {
                return Break();
            }

            if (i < Polls || !TDevice.HasInterrupt)
            {
                TDevice.Pause();
            }
            else if (i == Polls)
            {
                // One more look follows: the device may have answered before it saw this.
                BinaryPrimitives.WriteUInt16LittleEndian(TDevice.Memory[AvailableOffset..], 0);
                TDevice.BarrierBeforeDevice();
            }
            else if (TDevice.Seconds - _since > PatienceSeconds)
            {
                return Break();
            }
            else if (!TDevice.TryWait())
            {
                return Status.Cancelled;
            }

            TDevice.BarrierAfterDevice();
        }
    }

    /// <summary>The buffer is the device's until it says otherwise.</summary>
    private void Offer(int wanted)
    {
        Span<byte> memory = TDevice.Memory;
        BinaryPrimitives.WriteUInt64LittleEndian(memory, TDevice.MemoryPhysical + BufferOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(memory[8..], (uint)wanted);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[12..], DescriptorWrite);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[14..], 0);

        // The ring has one entry: descriptor 0, always.
        BinaryPrimitives.WriteUInt16LittleEndian(memory[AvailableOffset..], AvailableNoInterrupt);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[(AvailableOffset + 4)..], 0);
        TDevice.BarrierBeforeDevice();
        _asked = wanted;
        _since = TDevice.Seconds;
        BinaryPrimitives.WriteUInt16LittleEndian(memory[(AvailableOffset + 2)..], ++_index);
        TDevice.BarrierBeforeDevice();
        TDevice.Write(VirtioRegister.QueueNotify, 0);
    }

    private Status Take(int wanted, out int got)
    {
        TDevice.BarrierAfterDevice();
        uint id = BinaryPrimitives.ReadUInt32LittleEndian(TDevice.Memory[(UsedOffset + 4)..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(TDevice.Memory[(UsedOffset + 8)..]);
        TDevice.Write(VirtioRegister.InterruptAcknowledge, TDevice.Read(VirtioRegister.InterruptStatus) & 3);
        bool valid = id == 0 && length != 0 && length <= (uint)_asked;
        _asked = 0;

        // An earlier caller may have asked for more.
        got = valid ? Math.Min((int)length, wanted) : 0;
        return valid ? Status.Ok : Break();
    }

    /// <summary>A device that broke its protocol is reset and not used again.</summary>
    private Status Break()
    {
        _isReady = false;
        return Fail();
    }

    private static Status Fail()
    {
        TDevice.Write(VirtioRegister.Status, StatusFailed);
        TDevice.Write(VirtioRegister.Status, 0);
        return Status.DeviceError;
    }

    private static void WriteAddress(VirtioRegister low, VirtioRegister high, ulong address)
    {
        TDevice.Write(low, (uint)address);
        TDevice.Write(high, (uint)(address >> 32));
    }

    private static Span<byte> Buffer(int bytes) => TDevice.Memory.Slice(BufferOffset, bytes);
}
