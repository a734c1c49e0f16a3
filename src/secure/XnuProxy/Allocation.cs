using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Exclaves.XnuProxy;

/// <summary>Memory that Linux allocated for the secure world, and Linux's name for it. No cookie: the entry is free.</summary>
public struct Allocation
{
    /// <summary>The name that frees it: Linux takes it for a pointer, so only what Linux gave is ever handed back, and once.</summary>
    public ulong Cookie;
    public ulong Address;

    /// <summary>SK has none of its frames: Linux can free it.</summary>
    public bool IsIdle;
}

[InlineArray(AllocationTable.Capacity)]
public struct AllocationArray
{
    private Allocation _first;
}

/// <summary>All allocations of Linux. They are few, so they are searched.</summary>
public struct AllocationTable
{
    public const int Capacity = 64;

    private AllocationArray _entries;

    public int Count;
    public int IdleCount;

    /// <summary>Questions on their way: each may come back with an allocation, and must find room then.</summary>
    public int Reserved;

    [UnscopedRef]
    public ref Allocation this[int index] => ref _entries[index];

    public bool TryReserve()
    {
        bool room = Count + Reserved < Capacity;
        Reserved += room ? 1 : 0;
        return room;
    }

    /// <summary>False: the name is none, or known already.</summary>
    public bool TryAdd(ulong cookie, ulong address, out int index)
    {
        index = -1;
        for (int i = 0; i < Capacity; i++)
        {
            if (_entries[i].Cookie == cookie)
            {
                return false;
            }

            index = index < 0 && _entries[i].Cookie == 0 ? i : index;
        }

        if (index < 0)
        {
            return false;
        }

        _entries[index].Cookie = cookie;
        _entries[index].Address = address;
        Count++;
        return true;
    }

    public void MakeIdle(int index)
    {
        _entries[index].IsIdle = true;
        IdleCount++;
    }

    /// <summary>SK says that the run at this address is Linux's again.</summary>
    public void MakeIdle(ulong address)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (_entries[i].Cookie != 0 && _entries[i].Address == address && !_entries[i].IsIdle)
            {
                MakeIdle(i);
                return;
            }
        }
    }

    /// <summary>One that can be freed; -1: there is none.</summary>
    public readonly int FindIdle()
    {
        for (int i = 0; IdleCount != 0 && i < Capacity; i++)
        {
            if (_entries[i].IsIdle)
            {
                return i;
            }
        }

        return -1;
    }

    public void Remove(int index)
    {
        IdleCount -= _entries[index].IsIdle ? 1 : 0;
        _entries[index] = default;
        Count--;
    }

    /// <summary>The Linux that gave the names is gone.</summary>
    public void Forget() => this = default;
}
