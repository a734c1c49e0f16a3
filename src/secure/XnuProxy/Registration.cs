using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>A buffer that Linux has registered, and where it lies in the shared window.</summary>
public struct Registration
{
    /// <summary>Linux's name for it: a number without meaning here.</summary>
    public ulong Cookie;
    public ulong Bytes;

    /// <summary>How much of its place in the window is mapped, or may be: it is set before the first page is.</summary>
    public uint Pages;

    /// <summary>Where the buffer starts in its first page.</summary>
    public uint PageOffset;

    /// <summary>Counts uses of this entry, so that a request finds out that its buffer is gone.</summary>
    public uint Generation;
    public ushort Next;
    public bool IsLive;
}

[InlineArray(RegistrationTable.Capacity)]
public struct RegistrationArray
{
    private Registration _first;
}

[InlineArray(RegistrationTable.Buckets)]
public struct BucketArray
{
    private ushort _first;
}

/// <summary>Every registered buffer, found by cookie in one step. Each entry has a fixed place in the window, by size.</summary>
/// <remarks>
/// entries 0..1023: up to 16 pages, 64 KiB apart from the window's start | 1024..1087: up to 16,384 pages, 64 MiB apart from 1 GiB on.
/// Links are 1 + index. Cookies are hashed with a secret, so that Linux cannot pile them up in one bucket.
/// </remarks>
public struct RegistrationTable
{
    public const int SmallCount = 1024;
    public const int LargeCount = 64;
    public const int Capacity = SmallCount + LargeCount;
    public const int Buckets = 1024;
    public const uint SmallPages = 16;
    public const uint LargePages = 16384;
    private const ulong LargeBase = UserLayout.SharedBase + 0x4000_0000;

    private RegistrationArray _entries;
    private BucketArray _buckets;
    private ushort _freeSmall;
    private ushort _freeLarge;
    private ulong _seed;

    public int Count;

    public void Initialize(ulong seed)
    {
        _seed = seed | 1;
        for (int i = 0; i < Capacity; i++)
        {
            _entries[i].Next = (ushort)(i is SmallCount - 1 or Capacity - 1 ? 0 : i + 2);
        }

        _freeSmall = 1;
        _freeLarge = SmallCount + 1;
    }

    /// <summary>No registrations; their pages are unmapped already. Generations stay.</summary>
    public void Reset()
    {
        for (int i = 0; i < Capacity; i++)
        {
            _entries[i] = new Registration { Generation = _entries[i].Generation };
        }

        _buckets = default;
        Count = 0;
        Initialize(_seed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WindowOf(int index) => index < SmallCount
        ? UserLayout.SharedBase + ((ulong)index * SmallPages * UserLayout.PageBytes)
        : LargeBase + ((ulong)(index - SmallCount) * LargePages * UserLayout.PageBytes);

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref Registration this[int index] => ref _entries[index];

    /// <summary>The live entry of a cookie, or -1.</summary>
    public readonly int Find(ulong cookie)
    {
        for (ushort at = _buckets[Bucket(cookie)]; at != 0; at = _entries[at - 1].Next)
        {
            if (_entries[at - 1].Cookie == cookie)
            {
                return at - 1;
            }
        }

        return -1;
    }

    /// <summary>An entry with room for the pages, not yet live; -1 when there is none.</summary>
    public int Take(uint pages)
    {
        ref ushort list = ref pages <= SmallPages ? ref _freeSmall : ref _freeLarge;
        int index = pages > LargePages ? -1 : list - 1;
        if (index >= 0)
        {
            list = _entries[index].Next;
        }

        return index;
    }

    public void Publish(int index, ulong cookie)
    {
        ref Registration entry = ref _entries[index];
        entry.Cookie = cookie;
        entry.Generation++;
        entry.IsLive = true;
        ref ushort bucket = ref _buckets[Bucket(cookie)];
        entry.Next = bucket;
        bucket = (ushort)(index + 1);
        Count++;
    }

    /// <summary>Takes a live entry out of the table; it is not free yet.</summary>
    public void Withdraw(int index)
    {
        ref Registration entry = ref _entries[index];
        ref ushort link = ref _buckets[Bucket(entry.Cookie)];
        while (link != index + 1)
        {
            link = ref _entries[link - 1].Next;
        }

        link = entry.Next;
        entry.IsLive = false;
        entry.Cookie = 0;
        Count--;
    }

    public void Free(int index)
    {
        ref ushort list = ref index < SmallCount ? ref _freeSmall : ref _freeLarge;
        _entries[index].Pages = 0;
        _entries[index].Next = list;
        list = (ushort)(index + 1);
    }

    private readonly int Bucket(ulong cookie) => (int)((cookie * _seed) >> 54);
}
