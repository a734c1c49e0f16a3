using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.SecureKernel.Tests;

/// <summary>SK stopped: tests expect it, or fail with it.</summary>
public sealed class PanicException(PanicCode code, ulong detail0, ulong detail1) : Exception($"panic {code} {detail0:x} {detail1:x}")
{
    public PanicCode Code { get; } = code;
}

/// <summary>Secure memory, TLB and SPTM of one test thread. Reports what SK must never do by throwing.</summary>
public readonly struct FakeMachine : IMachine
{
    public const ulong MemoryBase = 0xA000_0000;
    public const int MemoryBytes = 0x40_0000;
    public const ulong LinuxBase = Virt.RamBase;
    public const ulong LinuxBytes = 0x1000_0000;

    [ThreadStatic]
    private static State? _state;

    public static State Machine => _state!;

    public static State Reset(int memoryBytes = MemoryBytes) => _state = new State(memoryBytes);

    public static ref T At<T>(ulong physical) where T : struct
    {
        Machine.Work += Cost.Own;
        if (Machine.Donated.TryGetValue(physical & ~0xFFFul, out byte[]? frame))
        {
            return ref MemoryMarshal.AsRef<T>(frame.AsSpan((int)(physical & 0xFFF), Unsafe.SizeOf<T>()));
        }

        if (Machine.Shared.ContainsKey(physical & ~0xFFFul))
        {
            return ref MemoryMarshal.AsRef<T>(Machine.SharedPage(physical).AsSpan((int)(physical & 0xFFF), Unsafe.SizeOf<T>()));
        }

        ulong offset = physical - MemoryBase;
        if (physical < MemoryBase || offset + (ulong)Unsafe.SizeOf<T>() > (ulong)Machine.Memory.Length)
        {
            throw new InvalidOperationException($"access to {physical:x}");
        }

        return ref MemoryMarshal.AsRef<T>(Machine.Memory.AsSpan((int)offset, Unsafe.SizeOf<T>()));
    }

    public static void Copy(ulong to, ulong from, ulong bytes)
    {
        Machine.Work += Cost.Own + (bytes / 8);
        if (bytes > Limits.PageBytes || (to & 0xFFF) + bytes > Limits.PageBytes)
        {
            throw new InvalidOperationException($"a copy of {bytes} bytes to {to:x} leaves its page");
        }

        Machine.Memory.AsSpan((int)(from - MemoryBase), (int)bytes).CopyTo(Machine.Memory.AsSpan((int)(to - MemoryBase)));
    }

    public static void Clear(ulong page)
    {
        Machine.Work += Cost.ClearPage;
        if (Machine.Reachable.Contains(page))
        {
            throw new InvalidOperationException($"frame {page:x} reused while a stale translation may reach it");
        }

        if (Machine.Donated.TryGetValue(page, out byte[]? frame))
        {
            frame.AsSpan().Clear();
            return;
        }

        Machine.Memory.AsSpan((int)(page - MemoryBase), 4096).Clear();
    }

    public static void WriteEntry(ulong physical, ulong value)
    {
        ref ulong entry = ref At<ulong>(physical);
        const ulong Valid = 1;
        const ulong Frame = PageEntry.AddressMask;
        if ((entry & Valid) != 0 && (value & Valid) != 0 && (entry & Frame) != (value & Frame))
        {
            throw new InvalidOperationException($"entry {physical:x} changed from {entry:x} to {value:x} without a break");
        }

        if ((entry & Valid) != 0 && (value & Valid) == 0)
        {
            Machine.Reachable.Add(entry & Frame);
        }

        entry = value;
    }

    public static void InvalidatePage(ulong space, ulong address)
    {
        Machine.Work += Cost.Own;
        Machine.Require(space);
        Machine.Reachable.Clear();
    }

    public static void InvalidateSpace(ulong space)
    {
        Machine.Require(space);
        Machine.Reachable.Clear();
    }

    public static void InvalidateInstructions()
    {
    }

    /// <summary>A look for interrupts lets them in.</summary>
    public static bool InterruptPending()
    {
        Machine.Looks++;
        Machine.LongestWork = Math.Max(Machine.LongestWork, Machine.Work);
        Machine.Work = 0;
        return Machine.InterruptPending;
    }

    public static ulong Counter() => Machine.Counter;

    /// <summary>A tick is a microsecond.</summary>
    public static ulong CounterHertz() => 1_000_000;

    /// <summary>Other CPUs that want SK's lock are looked for at the same places.</summary>
    public static bool IsWaitedFor() => InterruptPending() || Machine.LockWanted;

    public static bool LinuxRead(ulong linux, ulong secure, ulong bytes)
    {
        Machine.Work += Cost.Gate + (bytes / 8);
        Machine.Copies.Add((linux, secure, bytes));
        return !Machine.Refused.Contains(linux & ~0xFFFul);
    }

    public static bool LinuxWrite(ulong linux, ulong secure, ulong bytes) => LinuxRead(linux, secure, bytes);

    public static bool ArgumentDone(ulong linux)
    {
        Machine.Work += Cost.Gate;
        Machine.ArgumentsDone.Add(linux);
        return true;
    }

    public static bool Share(ulong page)
    {
        Machine.Work += Cost.Sharing;
        if (Machine.Refused.Contains(page))
        {
            return false;
        }

        Machine.Shared[page] = Machine.Shared.GetValueOrDefault(page) + 1;
        return true;
    }

    public static bool Unshare(ulong page)
    {
        Machine.Work += Cost.Sharing;
        if (Machine.Reachable.Contains(page) || !Machine.Shared.TryGetValue(page, out int count))
        {
            return false;
        }

        if (count == 1)
        {
            Machine.Shared.Remove(page);
        }
        else
        {
            Machine.Shared[page] = count - 1;
        }

        return true;
    }

    /// <summary>SPTM's rules as far as SK can meet them; a call that only SK can get wrong throws.</summary>
    public static bool Retype(ulong page, FrameType from, FrameType to)
    {
        Machine.Work += Cost.Retyping;
        if ((page & 0xFFF) != 0 || page < LinuxBase || page >= LinuxBase + LinuxBytes
            || (from, to) is not ((FrameType.XnuDefault, FrameType.SkDonated) or (FrameType.SkDonated, FrameType.XnuDefault)))
        {
            throw new InvalidOperationException($"a retype of {page:x} from {from} to {to} is fatal");
        }

        if (to == FrameType.SkDonated)
        {
            if (Machine.Refused.Contains(page) || Machine.Shared.ContainsKey(page) || Machine.Donated.ContainsKey(page))
            {
                return false;
            }

            Machine.Donated[page] = new byte[Limits.PageBytes];
            return true;
        }

        if (Machine.Reachable.Contains(page))
        {
            throw new InvalidOperationException($"frame {page:x} given back while a stale translation may reach it");
        }

        return Machine.Donated.Remove(page);
    }

    public static void NotifyLinux()
    {
        Machine.Work += Cost.Gate;
        Machine.Notified++;
    }

    public static void Kick(ulong cpus)
    {
        Machine.Work += Cost.Gate;
        Machine.Kicked |= cpus;
    }

    public static void Log(ulong text, ulong bytes)
    {
        Machine.Work += Cost.Gate + bytes;
        Machine.Lines.Add(Encoding.ASCII.GetString(Machine.Memory, (int)(text - MemoryBase), (int)bytes));
    }

    public static void SptmCounters(ulong words)
    {
        Machine.Work += Cost.Gate;
        for (ulong i = 0; i < (ulong)SptmCounter.Count; i++)
        {
            At<ulong>(words + (i * 8)) = 100 + i;
        }
    }

    public static void Panic(PanicCode code, ulong detail0, ulong detail1, ulong detail2) => throw new PanicException(code, detail0, detail1);

    /// <summary>Instructions, about: what `exclave bench` and a trace of the real image show.</summary>
    private static class Cost
    {
        public const ulong Own = 15;
        public const ulong ClearPage = 120;
        public const ulong Gate = 500;
        public const ulong Sharing = 850;
        public const ulong Retyping = 2600;
    }

    public sealed class State
    {
        [ThreadStatic]
        private static byte[]? _memory;

        public State(int memoryBytes)
        {
            if (memoryBytes != MemoryBytes)
            {
                Memory = new byte[memoryBytes];
                return;
            }

            Memory = _memory ??= new byte[MemoryBytes];
            Memory.AsSpan().Clear();
        }

        public byte[] Memory { get; }
        public bool InterruptPending { get; set; }
        public ulong Counter { get; set; } = 1000;

        /// <summary>How often Linux was told that somebody wants time.</summary>
        public int Notified { get; set; }
        private readonly Dictionary<ulong, byte[]> _sharedPages = [];

        /// <summary>What lies in a page of Linux that is shared.</summary>
        public byte[] SharedPage(ulong address)
        {
            ulong page = address & ~0xFFFul;
            if (!_sharedPages.TryGetValue(page, out byte[]? data))
            {
                data = new byte[Limits.PageBytes];
                _sharedPages[page] = data;
            }

            return data;
        }

        /// <summary>How often SK looked for an interrupt.</summary>
        public int Looks { get; set; }

        /// <summary>Instructions since SK began a step or looked for interrupts.</summary>
        public ulong Work { get; set; }

        /// <summary>The most of these in the step.</summary>
        public ulong LongestWork { get; set; }

        /// <summary>Another CPU waits for SK's lock.</summary>
        public bool LockWanted { get; set; }

        /// <summary>Frames whose entry went invalid and that a TLB may still reach.</summary>
        public HashSet<ulong> Reachable { get; } = [];
        public HashSet<ulong> Refused { get; } = [];
        public Dictionary<ulong, int> Shared { get; } = [];
        /// <summary>Frames of Linux that SPTM has given to SK, with their contents.</summary>
        public Dictionary<ulong, byte[]> Donated { get; } = [];
        public ulong Kicked { get; set; }
        public List<ulong> ArgumentsDone { get; } = [];
        public List<(ulong Linux, ulong Secure, ulong Bytes)> Copies { get; } = [];
        public List<string> Lines { get; } = [];

        public void BeginStep()
        {
            Work = 0;
            LongestWork = 0;
        }

        public void Require(ulong space)
        {
            if (space == 0)
            {
                throw new InvalidOperationException("address space 0 is nobody's");
            }
        }
    }
}
