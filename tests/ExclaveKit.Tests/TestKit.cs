using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>A conclave on the model: its program is the test.</summary>
public sealed class TestKit
{
    public const ulong ProgramBase = UserLayout.ProgramBase;
    public const ulong ProgramEntry = ProgramBase + 0x4000;
    public const ulong Data = ProgramBase + 0x2000;

    private KitState _state;
    private FakeMachine _machine;

    public TestKit(ulong quotaPages = 4096, ulong donatedPages = 0)
    {
        World = new FakeWorld { Endpoint = FakeWorld.CountingEntropy };
        _machine = new FakeMachine(World);
        WriteImage();
        StartInfo info = new()
        {
            Magic = StartInfo.MagicValue,
            QuotaBytes = quotaPages * 4096,
            DonatedBytes = donatedPages * 4096,
            ProgramBase = ProgramBase,
            ProgramEntry = ProgramEntry,
            ProgramHeaders = ProgramBase + 64,
            ProgramHeaderCount = 3,
            CpuCount = 2,
        };
        "test.conclave"u8.CopyTo(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref info.Name, 1)));
        Of(0).Start(in info);
    }

    public FakeWorld World { get; }

    public ref UserContext Live => ref World.Contexts[World.Running];

    public ref KitState State => ref _state;

    public uint Tid => _state.Threads[World.Running].Tid;

    private Personality<FakeMachine> Of(int thread) => new(ref _state, ref _machine, thread);

    /// <summary>An event of the thread that runs; when it has to wait, the test goes on with another one that can run.</summary>
    public void Handle(ReflectReason reason)
    {
        Of(World.Running).Handle(reason);
        if (Of(World.Running).IsReady) { return; }

        if (Of(World.Running).IsGone)
        {
            int gone = World.Running;
            _machine.ExitThread();
            World.Running = gone;
        }

        while (!TryRunNext())
        {
            if (!World.Threads.Any(thread => _state.Threads[thread].Deadline != Clock.Never || _state.Threads[thread].State == ThreadState.Memory)) { throw new InvalidOperationException("every thread waits for another one"); }

            World.Now += World.YieldStep;
        }
    }

    private bool TryRunNext()
    {
        int last = World.Running;
        foreach (int thread in World.Threads.Where(t => t > last).Concat(World.Threads.Where(t => t <= last)).ToArray())
        {
            World.Running = thread;
            if (TryRun(thread)) { return true; }
        }

        World.Running = last;
        return false;
    }

    /// <summary>Does what SK would; true when the thread is in its program then.</summary>
    private bool TryRun(int thread)
    {
        if (Of(thread).IsReady)
        {
            if (World.Woken.Remove(thread)) { Of(thread).EndAwait(Status.Ok); }

            if (World.Kicked.Remove(thread)) { Of(thread).Handle(ReflectReason.Tick); }

            return Of(thread).IsReady;
        }

        switch (_state.Threads[thread].State)
        {
            case ThreadState.Futex or ThreadState.Sleep or ThreadState.Pipe:
                if (World.Kicked.Remove(thread)) { Of(thread).EndAwait(Status.Kicked); }
                else if (_state.Threads[thread].Deadline <= World.Now) { Of(thread).EndAwait(Status.TimedOut); }

                break;
            case ThreadState.Memory when _state.Threads[thread].Deadline != Clock.Never:
                if (_state.Threads[thread].Deadline <= World.Now) { Of(thread).EndAwait(Status.TimedOut); }

                break;
            default:
                Of(thread).EndAwait(Of(thread).Await());
                break;
        }

        return Of(thread).IsReady;
    }

    /// <summary>Makes a Linux call and answers x0 of whichever thread runs afterwards.</summary>
    public ulong Call(ulong number, params ReadOnlySpan<ulong> arguments)
    {
        for (int i = 0; i < 6; i++) { Live.X[i] = i < arguments.Length ? arguments[i] : 0; }

        Live.X[8] = number;
        Live.ProgramCounter += 4;
        Handle(ReflectReason.SystemCall);
        return Live.X[0];
    }

    public ulong Call(LinuxCall call, params ReadOnlySpan<ulong> arguments) => Call((ulong)call, arguments);

    public ulong Map(ulong bytes, bool writable = true) => Call(LinuxCall.Mmap, 0, bytes, writable ? 3UL : 0, 0x22, ulong.MaxValue, 0);

    /// <summary>Touches a byte as the program would; false when it got a signal instead.</summary>
    public bool Touch(ulong address, bool write)
    {
        MemoryAccess wanted = write ? MemoryAccess.Write : MemoryAccess.Read;
        for (int attempt = 0; attempt < 2; attempt++)
        {
            if (World.Frames.TryGetValue(address >> 12, out (byte[] Data, MemoryAccess Access) frame) && (frame.Access & wanted) != 0) { return true; }

            ulong before = State.Statistics[(int)KitStatistic.Signals];
            Fault(address, write);
            if (State.Statistics[(int)KitStatistic.Signals] != before) { return false; }
        }

        throw new InvalidOperationException("the fault was neither repaired nor reported");
    }

    public void Fault(ulong address, bool write)
    {
        Live.FaultAddress = address;
        Live.Syndrome = (0x24UL << 26) | (write ? 0x40UL : 0) | 7;
        Handle(ReflectReason.Fault);
    }

    /// <summary>Memory that the program owns, for arguments.</summary>
    public void Put(ulong address, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            Touch(address + (ulong)i, write: true);
            World.Frame(address + (ulong)i).Data[(address + (ulong)i) & 4095] = bytes[i];
        }
    }

    public void Put<T>(ulong address, T value)
        where T : unmanaged =>
        Put(address, MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1)));

    public byte[] Get(ulong address, int bytes)
    {
        byte[] result = new byte[bytes];
        for (int i = 0; i < bytes; i++) { result[i] = World.Frame(address + (ulong)i).Data[(address + (ulong)i) & 4095]; }

        return result;
    }

    public T Get<T>(ulong address)
        where T : unmanaged =>
        MemoryMarshal.Read<T>(Get(address, Marshal.SizeOf<T>()));

    /// <summary>Starts a thread; the caller goes on. Answers its tid.</summary>
    public uint Clone(ulong stack = 0, ulong tls = 0, ulong clearTid = 0)
    {
        const ulong Flags = 0x3D0F00;
        stack = stack == 0 ? Map(0x4000) + 0x4000 : stack;
        return (uint)Call(LinuxCall.Clone, Flags, stack, Data + 0xF00, tls, clearTid == 0 ? Data + 0xF08 : clearTid);
    }

    /// <summary>The test goes on with this thread, which must be able to.</summary>
    public void RunUntil(uint tid)
    {
        int thread = World.Threads.Single(t => _state.Threads[t].Tid == tid);
        World.Running = thread;
        if (!TryRun(thread)) { throw new InvalidOperationException($"thread {tid} does not run"); }
    }

    public static ulong Error(Errno errno) => Result.Of(errno);

    public string LogText => string.Join('\n', World.Log);

    /// <summary>An image of three segments, their frames as SK maps them.</summary>
    private void WriteImage()
    {
        for (ulong i = 0; i < 8; i++)
        {
            MemoryAccess access = i < 2 ? MemoryAccess.Read : i < 4 ? MemoryAccess.Read | MemoryAccess.Write : MemoryAccess.Read | MemoryAccess.Execute;
            World.Frames.Add((ProgramBase >> 12) + i, (new byte[4096], access));
        }

        byte[] page = World.Frame(ProgramBase).Data;
        (uint Flags, ulong Offset, ulong Bytes)[] segments = [(4, 0, 0x2000), (6, 0x2000, 0x2000), (5, 0x4000, 0x4000)];
        for (int i = 0; i < segments.Length; i++)
        {
            Span<byte> header = page.AsSpan(64 + (i * 56));
            BitConverter.TryWriteBytes(header, 1u);
            BitConverter.TryWriteBytes(header[4..], segments[i].Flags);
            BitConverter.TryWriteBytes(header[16..], segments[i].Offset);
            BitConverter.TryWriteBytes(header[40..], segments[i].Bytes);
        }
    }
}
