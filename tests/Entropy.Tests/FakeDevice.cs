using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Exclaves.Entropy.Tests;

/// <summary>What is wrong with the device.</summary>
public enum Fault
{
    None,
    BadMagic,
    LegacyVersion,
    OtherDevice,
    NeverResets,
    NoModernFeature,
    RefusesFeatures,
    NoQueue,
    QueueBusy,
    QueueNotTaken,
    Silent,
    SkipsIndex,
    IndexGoesBack,
    BadId,
    ZeroLength,
    TooLong,
    HugeLength,
    Stuck,
    ShortAnswers,
    ScribblesOnRings,
}

/// <summary>virtio-rng as a test wants it: one per test thread.</summary>
public readonly struct FakeDevice : IVirtioDevice
{
    public const ulong Physical = 0x1_2345_6000;

    [ThreadStatic]
    private static State? _state;

    public static State Device => _state!;

    public static Span<byte> Memory => Device.Memory;
    public static ulong MemoryPhysical => Physical;

    public static State Reset(Fault fault) => _state = new State(fault);

    public static uint Read(VirtioRegister register) => Device.Read(register);

    public static void Write(VirtioRegister register, uint value) => Device.Write(register, value);

    public static void BarrierBeforeDevice()
    {
        Device.Barriers++;
        Device.OnBarrier?.Invoke();
    }

    public static void BarrierAfterDevice()
    {
    }

    public static void Pause() => Device.Pauses++;

    public static bool HasInterrupt => Device.OnWait != null;

    public static ulong Seconds => Device.Seconds;

    public static bool TryWait()
    {
        Device.Waits++;
        return Device.OnWait!(Device.Waits);
    }

    public sealed class State(Fault fault)
    {
        private readonly Dictionary<VirtioRegister, uint> _registers = [];
        private readonly Random _random = new(1);
        private ushort _used;

        public Fault Fault { get; set; } = fault;
        public byte[] Memory { get; } = new byte[4096];
        public int Barriers { get; set; }
        public long Pauses { get; set; }
        public int Waits { get; set; }
        public ulong Seconds { get; set; } = 1000;

        /// <summary>Null: the device has no interrupt. Else what happens in the n-th wait: false = whoever waits is wanted elsewhere.</summary>
        public Func<int, bool>? OnWait { get; set; }
        public Action? OnBarrier { get; set; }

        /// <summary>What is asked for is not done before <see cref="Answer"/>.</summary>
        public bool IsSlow { get; set; }

        public bool MayInterrupt => Memory[RandomDevice<FakeDevice>.AvailableOffset] == 0;
        public int Notifications { get; private set; }
        public List<uint> Statuses { get; } = [];
        public List<byte> Given { get; } = [];

        public uint Read(VirtioRegister register) => register switch
        {
            VirtioRegister.Magic => Fault == Fault.BadMagic ? 0u : 0x7472_6976,
            VirtioRegister.Version => Fault == Fault.LegacyVersion ? 1u : 2,
            VirtioRegister.DeviceId => Fault == Fault.OtherDevice ? 1u : 4,
            VirtioRegister.DeviceFeatures => Fault == Fault.NoModernFeature || Register(VirtioRegister.DeviceFeaturesSelect) != 1 ? 0u : 1,
            VirtioRegister.QueueSizeMax => Fault == Fault.NoQueue ? 0u : 1024,
            VirtioRegister.QueueReady => Fault == Fault.QueueBusy ? 1u : Fault == Fault.QueueNotTaken ? 0u : Register(register),
            VirtioRegister.Status when Fault == Fault.NeverResets => 0x40,
            VirtioRegister.Status when Fault == Fault.RefusesFeatures => Register(register) & ~8u,
            _ => Register(register),
        };

        public void Write(VirtioRegister register, uint value)
        {
            _registers[register] = value;
            if (register == VirtioRegister.Status)
            {
                Statuses.Add(value);
                if (value == 0)
                {
                    _used = 0;
                    _registers.Clear();
                }
            }
            else if (register == VirtioRegister.QueueNotify)
            {
                Notifications++;
                if (!IsSlow)
                {
                    Answer();
                }
            }
        }

        public uint Register(VirtioRegister register) => _registers.GetValueOrDefault(register);

        public void Answer()
        {
            if (Fault == Fault.Silent)
            {
                return;
            }

            ulong buffer = BinaryPrimitives.ReadUInt64LittleEndian(Memory);
            int bytes = (int)BinaryPrimitives.ReadUInt32LittleEndian(Memory.AsSpan(8));
            if (buffer != Physical + RandomDevice<FakeDevice>.BufferOffset || bytes > RandomDevice<FakeDevice>.BufferBytes || Memory[12] != 2
                || BinaryPrimitives.ReadUInt16LittleEndian(Memory.AsSpan(RandomDevice<FakeDevice>.AvailableOffset + 2)) != (ushort)(_used + 1))
            {
                throw new InvalidOperationException("the driver broke the protocol");
            }

            int given = Fault == Fault.ShortAnswers ? Math.Min(bytes, 5) : bytes;
            Span<byte> output = Memory.AsSpan(RandomDevice<FakeDevice>.BufferOffset, given);
            if (Fault == Fault.Stuck)
            {
                output.Fill(0x42);
            }
            else
            {
                _random.NextBytes(output);
            }

            Given.AddRange(output);
            if (Fault == Fault.ScribblesOnRings)
            {
                Memory.AsSpan(0, RandomDevice<FakeDevice>.UsedOffset).Fill(0xFF);
            }

            _used++;
            ushort index = Fault switch
            {
                Fault.SkipsIndex => (ushort)(_used + 1),
                Fault.IndexGoesBack => (ushort)(_used - 2),
                _ => _used,
            };
            uint length = Fault switch
            {
                Fault.ZeroLength => 0,
                Fault.TooLong => (uint)bytes + 1,
                Fault.HugeLength => uint.MaxValue,
                _ => (uint)given,
            };
            Span<byte> used = Memory.AsSpan(RandomDevice<FakeDevice>.UsedOffset);
            BinaryPrimitives.WriteUInt32LittleEndian(used[4..], Fault == Fault.BadId ? 1u : 0);
            BinaryPrimitives.WriteUInt32LittleEndian(used[8..], length);
            BinaryPrimitives.WriteUInt16LittleEndian(used[2..], index);
        }
    }
}
