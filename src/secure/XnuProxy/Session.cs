using System.Runtime.CompilerServices;

namespace Exclaves.XnuProxy;

public enum SessionState : byte
{
    Free = 0,
    Opening = 1,
    Open = 2,

    /// <summary>Takes no more calls; goes when the last one is back.</summary>
    Closing = 3,
}

/// <summary>One client's way to one service (I9).</summary>
public struct Session
{
    public SessionState State;
    public ushort Generation;
    public ushort Next;

    /// <summary>Calls that the service has not answered.</summary>
    public int InFlight;

    /// <summary>Index of the service entry, or one of <see cref="BuiltIn"/>.</summary>
    public int Service;

    /// <summary>Which life of the service's component opened it; the session ends with that.</summary>
    public ulong Life;
}

/// <summary>Services that XnuProxy serves itself, as negative service numbers.</summary>
public static class BuiltIn
{
    public const int None = 0;
    public const int Enumeration = -1;
    public const int Statistics = -2;
}

[InlineArray(SessionTable.Capacity)]
public struct SessionArray
{
    private Session _first;
}

/// <summary>All sessions. An id is generation (16 bits) and 1 + index, so it is never 0 and goes stale with its session.</summary>
public struct SessionTable
{
    public const int Capacity = 512;

    private SessionArray _entries;
    private ushort _free;

    public int Count;

    public void Initialize()
    {
        for (int i = 0; i < Capacity; i++)
        {
            _entries[i].Next = (ushort)(i == Capacity - 1 ? 0 : i + 2);
        }

        _free = 1;
    }

    /// <summary>No sessions. Generations stay, so that no old id comes to life again.</summary>
    public void Reset()
    {
        for (int i = 0; i < Capacity; i++)
        {
            _entries[i].State = SessionState.Free;
            _entries[i].InFlight = 0;
        }

        Count = 0;
        Initialize();
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref Session this[int index] => ref _entries[index];

    public readonly uint IdOf(int index) => ((uint)_entries[index].Generation << 16) | (uint)(index + 1);

    /// <summary>The session that Linux names, or -1.</summary>
    public readonly int Find(uint id)
    {
        int index = (int)(id & 0xFFFF) - 1;
        return (uint)index < Capacity && _entries[index].State != SessionState.Free && IdOf(index) == id ? index : -1;
    }

    /// <summary>Sessions with one service.</summary>
    public readonly int CountOf(int service)
    {
        int count = 0;
        for (int i = 0; i < Capacity; i++)
        {
            count += _entries[i].State != SessionState.Free && _entries[i].Service == service ? 1 : 0;
        }

        return count;
    }

    public int Take(int service)
    {
        int index = _free - 1;
        if (index >= 0)
        {
            ref Session session = ref _entries[index];
            _free = session.Next;
            session.State = SessionState.Opening;
            session.Generation++;
            session.Service = service;
            session.InFlight = 0;
            Count++;
        }

        return index;
    }

    public void Free(int index)
    {
        _entries[index].State = SessionState.Free;
        _entries[index].Next = _free;
        _free = (ushort)(index + 1);
        Count--;
    }
}
