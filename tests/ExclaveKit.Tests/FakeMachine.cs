using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>The conclave has called Exit.</summary>
public sealed class ConclaveEnded(ulong code) : Exception($"exit {code}")
{
    public ulong Code { get; } = code;
}

/// <summary>SK as a model: frames, messages, time. It is stricter than SK: whatever SK would overlook is an error here.</summary>
public sealed class FakeWorld
{
    public const ulong Frequency = 1_000_000;
    public const ulong Trampoline = 0x7E00_0000_1000;
    public const ulong CallEntry = 0x7E00_0000_1100;

    public Dictionary<ulong, (byte[] Data, MemoryAccess Access)> Frames { get; } = [];

    public List<string> Log { get; } = [];

    /// <summary>Whether there is a LogServer, and what it got.</summary>
    public bool HasLog { get; set; }

    public List<(LogSeverity Level, string Text)> Records { get; } = [];

    public List<string> Calls { get; } = [];

    public byte[][] MessagePages { get; } = [.. Enumerable.Range(0, KitState.MaxThreads).Select(_ => new byte[4096])];

    public UserContext[] Contexts { get; } = new UserContext[KitState.MaxThreads];

    /// <summary>Threads of SK: 0 is there from the start.</summary>
    public SortedSet<int> Threads { get; } = [0];

    /// <summary>Threads whose wait a wake-up has ended, and that were kicked.</summary>
    public HashSet<int> Woken { get; } = [];

    public HashSet<int> Kicked { get; } = [];

    /// <summary>Which of them makes calls.</summary>
    public int Running { get; set; }

    /// <summary>Where the program stood when the conclave ended.</summary>
    public UserContext Ended { get; set; }

    public int FrameQuota { get; set; } = int.MaxValue;

    /// <summary>Of <see cref="FrameQuota"/>, what Linux has given.</summary>
    public int DonatedPages { get; set; }

    /// <summary>When somebody else's call brings frames, and how many.</summary>
    public (ulong Time, int Frames) Refilling { get; set; } = (ulong.MaxValue, 0);

    public ulong Now { get; set; } = 1000;

    /// <summary>How far the clock moves while nobody can run.</summary>
    public ulong YieldStep { get; set; } = 10;

    /// <summary>The call of SK that is refused, counted from here on; negative: none, any more.</summary>
    public int RefuseAt { get; set; } = -1;

    public bool Refuses() => RefuseAt >= 0 && RefuseAt-- == 0;

    public Func<uint, byte[], Status> Endpoint { get; set; } = (_, _) => Status.BadCapability;

    /// <summary>Answers requests for randomness with counted bytes.</summary>
    public static Status CountingEntropy(uint slot, byte[] page)
    {
        if (slot != 2) { return Status.BadCapability; }

        ulong wanted = BitConverter.ToUInt64(page, 32);
        for (ulong i = 0; i < wanted; i++) { page[64 + i] = (byte)(i + 1); }

        BitConverter.TryWriteBytes(page.AsSpan(4), (uint)wanted);
        BitConverter.TryWriteBytes(page.AsSpan(24), 0u);
        return Status.Ok;
    }

    public (byte[] Data, MemoryAccess Access) Frame(ulong address) =>
        Frames.TryGetValue(address >> 12, out (byte[] Data, MemoryAccess Access) frame) ? frame : throw new InvalidOperationException($"{address:X} has no frame.");
}

/// <summary>The seam, over a <see cref="FakeWorld"/>.</summary>
public struct FakeMachine(FakeWorld world) : IKitMachine
{
    public readonly ulong Counter => world.Now;

    public readonly ulong CounterFrequency => FakeWorld.Frequency;

    public readonly ulong DonatedPages => (ulong)world.DonatedPages;

    public readonly ulong SignalReturn => FakeWorld.Trampoline;

    public readonly ulong CallEntry => FakeWorld.CallEntry;

    public readonly Span<byte> MessagePage(int thread) => world.MessagePages[thread];

    public readonly ulong MessagePageAddress(int thread) => UserLayout.IpcPageOf((uint)thread);

    public readonly ref UserContext Context(int thread) => ref world.Contexts[thread];

    public readonly int StartThread()
    {
        if (world.Refuses()) { return -1; }

        SortedSet<int> threads = world.Threads;
        int number = Enumerable.Range(0, KitState.MaxThreads).FirstOrDefault(n => !threads.Contains(n), -1);
        if (number > 0)
        {
            world.Threads.Add(number);
            world.Kicked.Add(number);
        }

        return number;
    }

    public readonly void ExitThread()
    {
        world.Threads.Remove(world.Running);
        world.Kicked.Remove(world.Running);
        world.Woken.Remove(world.Running);
    }

    public readonly void Kick(int thread)
    {
        if (thread == world.Running || !world.Threads.Contains(thread)) { throw new InvalidOperationException("bad kick"); }

        world.Kicked.Add(thread);
    }

    public readonly Status WaitEpoch(ulong id, ulong epoch, uint owner, ulong deadline) => throw new InvalidOperationException("the test waits");

    public readonly void WakeEpoch(ulong id, ulong epoch, EpochWake whom, int thread)
    {
        if (whom != EpochWake.Thread || id != (ulong)thread || !world.Threads.Contains(thread)) { throw new InvalidOperationException("bad wake-up"); }

        world.Woken.Add(thread);
    }

    public readonly void Barrier() => world.Calls.Add("barrier");

    public readonly Status Map(ulong address, ulong pages, MemoryAccess access)
    {
        if ((address & 4095) != 0 || pages == 0 || (access & MemoryAccess.Execute) != 0) { throw new InvalidOperationException("bad map"); }

        if (world.Now >= world.Refilling.Time)
        {
            world.FrameQuota += world.Refilling.Frames;
            world.Refilling = (ulong.MaxValue, 0);
        }

        if (world.Refuses() || world.Frames.Count + (int)pages > world.FrameQuota) { return Status.NoMemory; }

        for (ulong i = 0; i < pages; i++)
        {
            if (!world.Frames.TryAdd((address >> 12) + i, (new byte[4096], access))) { throw new InvalidOperationException("mapped twice"); }
        }

        return Status.Ok;
    }

    public readonly void Unmap(ulong address, ulong pages)
    {
        for (ulong i = 0; i < pages; i++)
        {
            if (!world.Frames.Remove((address >> 12) + i)) { throw new InvalidOperationException("unmapped twice"); }
        }
    }

    public readonly Status Protect(ulong address, ulong pages, MemoryAccess access)
    {
        if (world.Refuses()) { return Status.NoMemory; }

        world.Calls.Add($"protect {address:X} {pages} {access}");
        for (ulong i = 0; i < pages; i++)
        {
            if (world.Frames.TryGetValue((address >> 12) + i, out (byte[] Data, MemoryAccess Access) frame))
            {
                world.Frames[(address >> 12) + i] = (frame.Data, access);
            }
        }

        return Status.Ok;
    }

    public readonly void Read(ulong address, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            (byte[] data, MemoryAccess access) = world.Frame(address + (ulong)i);
            if ((access & MemoryAccess.Read) == 0) { throw new InvalidOperationException("read without right"); }

            destination[i] = data[(address + (ulong)i) & 4095];
        }
    }

    public readonly void Write(ulong address, ReadOnlySpan<byte> source)
    {
        for (int i = 0; i < source.Length; i++)
        {
            (byte[] data, MemoryAccess access) = world.Frame(address + (ulong)i);
            if ((access & MemoryAccess.Write) == 0) { throw new InvalidOperationException("write without right"); }

            data[(address + (ulong)i) & 4095] = source[i];
        }
    }

    public readonly Status Call(uint slot) => world.Refuses() ? Status.Revoked : world.Endpoint(slot, world.MessagePages[world.Running]);

    public readonly Status Send(uint slot)
    {
        if (slot != ComponentEntry.LogSlot || !world.HasLog) { return Status.BadCapability; }

        MessageHeader header = MemoryMarshal.Read<MessageHeader>(world.MessagePages[world.Running]);
        string text = Encoding.UTF8.GetString(world.MessagePages[world.Running], MessageHeader.Bytes, (int)header.Length);
        world.Records.Add(((LogSeverity)header.Word0, text));
        return header is { Label: MessageLabel.Log, Capability: 0 } && header.Word1 == world.Now ? Status.Ok : throw new InvalidOperationException("bad record");
    }

    public readonly void Yield() => world.Calls.Add("yield");

    public readonly void Log(ReadOnlySpan<byte> line) => world.Log.Add(Encoding.UTF8.GetString(line));

    public readonly void Exit(ulong code) => throw new ConclaveEnded(code);

    public readonly void Exit(ulong code, ref UserContext program)
    {
        world.Ended = program;
        throw new ConclaveEnded(code);
    }
}
