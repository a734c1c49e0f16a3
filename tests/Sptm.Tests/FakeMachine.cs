using System;
using System.Collections.Generic;

namespace Exclaves.Sptm.Tests;

/// <summary>Memory and TLB of a machine that checks break-before-make and remembers what may still be cached.</summary>
public readonly struct FakeMachine : IStage2Machine
{
    [ThreadStatic]
    private static Dictionary<ulong, ulong>? s_memory;

    [ThreadStatic]
    private static HashSet<ulong>? s_stale;

    [ThreadStatic]
    private static int s_invalidations;

    public static int Invalidations => s_invalidations;

    public static Dictionary<ulong, ulong> Memory => s_memory!;

    public static void Reset()
    {
        s_memory = [];
        s_stale = [];
        s_invalidations = 0;
    }

    public static ulong ReadEntry(ulong address) => s_memory!.GetValueOrDefault(address);

    public static void WriteEntry(ulong address, ulong value)
    {
        ulong old = ReadEntry(address);
        if (Stage2Descriptor.IsValid(old) && Stage2Descriptor.IsValid(value) && old != value)
        {
            throw new InvalidOperationException($"entry {address:x} changed from {old:x} to {value:x} without a break");
        }

        if (Stage2Descriptor.IsValid(value) && s_stale!.Contains(address))
        {
            throw new InvalidOperationException($"entry {address:x} made valid while its old translation may be cached");
        }

        if (Stage2Descriptor.IsValid(old) && !Stage2Descriptor.IsValid(value))
        {
            s_stale!.Add(address);
        }

        s_memory![address] = value;
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        s_invalidations++;
        s_stale!.Clear();
    }

    /// <summary>Entries that were made invalid and never invalidated in the TLB.</summary>
    public static int Stale => s_stale!.Count;
}
