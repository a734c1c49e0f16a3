using System.Collections.Generic;

namespace Exclaves.Sptm.Model;

/// <summary>The machine under a long run: tables, one word of each frame, and a TLB that keeps all it ever fetched until it is told to forget.</summary>
/// <remarks>A cached pointer to a table is followed as hardware may; TLBI by address leaves pointers alone, which is the least that it must do.</remarks>
internal readonly struct RunMachine : IStage2Machine
{
    public const ulong LinuxRoot = Place.LinuxRoot;
    public const ulong SecureRoot = Place.SecureRoot;
    public const ulong Pool = Place.Pool;

    private static ulong[] _words = [];
    private static ushort[] _deviations = [];
    private static ulong[] _contents = [];
    private static ulong _ramBase;

    /// <summary>By world: level and first address, to the descriptor.</summary>
    private static readonly Dictionary<(int Level, ulong Base), ulong>[] Cached = [[], []];

    /// <summary>What the machine looks at while the monitor works: fetched whenever a TLB could.</summary>
    public static List<ulong> Watched { get; } = [];

    public static void Reset(int poolPages, ulong ramBase, int frames)
    {
        _words = new ulong[(Place.RootPages + poolPages) * 512];
        _deviations = new ushort[Place.RootPages + poolPages];
        _contents = new ulong[frames];
        _ramBase = ramBase;
        Cached[0].Clear();
        Cached[1].Clear();
        Watched.Clear();
    }

    /// <summary>A word of a frame of RAM.</summary>
    public static ref ulong Content(ulong frame) => ref _contents[(frame - _ramBase) / Place.Page];

    public static ulong ReadEntry(ulong address) => _words[(address - LinuxRoot) / 8];

    public static void WriteEntry(ulong address, ulong value)
    {
        ref ulong word = ref _words[(address - LinuxRoot) / 8];
        if ((word & value & 1) != 0 && word != value)
        {
            throw new ModelViolation($"entry {address:x} changed from {word:x} to {value:x} without a break");
        }

        word = value;
    }

    public static void Invalidate(ushort vmid, ulong ipa)
    {
        FetchWatched();
        Dictionary<(int Level, ulong Base), ulong> cached = Cached[(int)Place.WorldOf(vmid)];
        for (int level = 1; level <= 3; level++)
        {
            (int, ulong) key = (level, Place.Base(ipa, level));
            if (cached.TryGetValue(key, out ulong descriptor) && !IsTable(descriptor, level))
            {
                _ = cached.Remove(key);
            }
        }

        FetchWatched();
    }

    public static void InvalidateAll(ushort vmid)
    {
        FetchWatched();
        Cached[(int)Place.WorldOf(vmid)].Clear();
        FetchWatched();
    }

    public static void ClearPage(ulong address)
    {
        FetchWatched();
        for (World world = World.Linux; world <= World.Secure; world++)
        {
            foreach (((int level, ulong start), ulong descriptor) in Cached[(int)world])
            {
                bool isTable = IsTable(descriptor, level);
                if (isTable ? (descriptor & Stage2Descriptor.AddressMask) == address : Place.Base(address, level) == start)
                {
                    throw new ModelViolation($"{address:x} is cleared while a TLB of {world} holds {descriptor:x} for {start:x}");
                }
            }
        }

        if (address >= LinuxRoot)
        {
            System.Array.Clear(_words, (int)((address - LinuxRoot) / 8), 512);
        }
        else
        {
            Content(address) = 0;
        }
    }

    public static ref ushort Deviations(ulong table) => ref _deviations[(table - LinuxRoot) / Place.Page];

    /// <summary>What a world gets at an address: what the TLB has, or what a walk finds.</summary>
    public static FrameAccess Fetch(World world, ulong address)
    {
        Dictionary<(int Level, ulong Base), ulong> cached = Cached[(int)world];
        for (int level = 3; level >= 1; level--)
        {
            if (cached.TryGetValue((level, Place.Base(address, level)), out ulong hit) && !IsTable(hit, level))
            {
                return Specification.AccessOf(hit);
            }
        }

        ulong table = Place.Root(world);
        for (int level = 1; ; level++)
        {
            (int, ulong) key = (level, Place.Base(address, level));
            if (!cached.TryGetValue(key, out ulong descriptor))
            {
                descriptor = ReadEntry(table + (address / Place.Reach(level) % (level == 1 ? 1024ul : 512) * 8));
                if ((descriptor & 1) == 0)
                {
                    return FrameAccess.None;
                }

                cached.Add(key, descriptor);
            }

            if (!IsTable(descriptor, level))
            {
                return Specification.AccessOf(descriptor);
            }

            table = descriptor & Stage2Descriptor.AddressMask;
        }
    }

    public static bool IsTable(ulong descriptor, int level) => level < 3 && (descriptor & 3) == 3;

    private static void FetchWatched()
    {
        foreach (ulong address in Watched)
        {
            _ = Fetch(World.Linux, address);
            _ = Fetch(World.Secure, address);
        }
    }
}
