using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Exclaves.Sptm.Tests;

/// <summary>Memory and TLB of a machine that checks break-before-make and remembers what may still be cached.</summary>
public readonly struct FakeMachine : IStage2Machine
{
    [ThreadStatic]
    private static Dictionary<ulong, ulong>? _memory;

    [ThreadStatic]
    private static HashSet<ulong>? _stale;

    [ThreadStatic]
    private static Dictionary<ulong, ushort>? _deviations;

    [ThreadStatic]
    private static List<ulong>? _cleared;

    [ThreadStatic]
    private static int _invalidations;

    public static int Invalidations => _invalidations;

    public static Dictionary<ulong, ulong> Memory => _memory!;

    public static void Reset()
    {
        _memory = [];
        _stale = [];
        _deviations = [];
        _cleared = [];
        _invalidations = 0;
    }

    public static ulong ReadEntry(ulong address) => _memory!.GetValueOrDefault(address);

    public static void WriteEntry(ulong address, ulong value)
    {
        ulong old = ReadEntry(address);
        if (Stage2Descriptor.IsValid(old) && Stage2Descriptor.IsValid(value) && old != value)
        {
            throw new InvalidOperationException($"entry {address:x} changed from {old:x} to {value:x} without a break");
        }

        if (Stage2Descriptor.IsValid(value) && _stale!.Contains(address))
        {
            throw new InvalidOperationException($"entry {address:x} made valid while its old translation may be cached");
        }

        if (Stage2Descriptor.IsValid(old) && !Stage2Descriptor.IsValid(value))
        {
            _stale!.Add(address);
        }

        _memory![address] = value;
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        _invalidations++;
        _stale!.Clear();
    }

    public static void InvalidateAll(ushort vmid) => Invalidate(vmid, 0);

    public static void ClearPage(ulong address)
    {
        if (_stale!.Count != 0)
        {
            throw new InvalidOperationException($"frame {address:x} cleared while an old translation may be cached");
        }

        _cleared!.Add(address);
        for (ulong word = 0; word < FrameTable.PageBytes; word += 8)
        {
            _memory!.Remove(address + word);
        }
    }

    public static ref ushort Deviations(ulong table) => ref CollectionsMarshal.GetValueRefOrAddDefault(_deviations!, table, out _);

    /// <summary>Frames that were cleared, in order.</summary>
    public static List<ulong> Cleared => _cleared!;

    /// <summary>Entries that were made invalid and never invalidated in the TLB.</summary>
    public static int Stale => _stale!.Count;
}
