using System;
using Exclaves.Abi;

namespace Exclaves.ObjectModel;

/// <summary>Who holds what, and from whom it came.</summary>
/// <remarks>A place of the array keeps its node until that goes, so that <see cref="ObjectNode.Parent"/> can be an index.</remarks>
public ref struct ObjectTree
{
    /// <summary>Slots of a table, the component's own one too.</summary>
    public const ulong TableSlots = 128;
    public const int Nobody = -1;

    /// <summary>Derivations of derivations, at most (4 bits of the capability's word).</summary>
    public const int MaxDepth = 15;

    private readonly Span<ObjectNode> _nodes;

    /// <param name="nodes">Room for all there will ever be at once.</param>
    public ObjectTree(Span<ObjectNode> nodes)
    {
        nodes.Clear();
        _nodes = nodes;
    }

    public int Count { get; private set; }

    /// <summary>Places, free ones too.</summary>
    public readonly int Length => _nodes.Length;

    public readonly ref ObjectNode this[int place] => ref _nodes[place];

    /// <summary>Room is the caller's duty.</summary>
    public void Add(in ObjectNode node)
    {
        int place = 0;
        while (_nodes[place].Kind != ObjectKind.None)
        {
            place++;
        }

        _nodes[place] = node;
        Count++;
    }

    /// <summary>The slot that a name names, if there is one: of the own table, or (s &lt;&lt; 16) | i, slot i of the table in own slot s.</summary>
    public readonly bool TryPlace(ulong name, out ulong table, out ulong index)
    {
        table = 0;
        index = name;
        if (name < TableSlots)
        {
            return name != 0;
        }

        int outer = At(0, name >> 16);
        index = name & 0xFFFF;
        if (outer == Nobody || _nodes[outer].Kind != ObjectKind.CapabilityTable)
        {
            return false;
        }

        table = _nodes[outer].Object;
        return index < TableSlots;
    }

    public readonly int Find(ulong name) => TryPlace(name, out ulong table, out ulong index) ? At(table, index) : Nobody;

    public readonly ulong NameOf(int place)
    {
        ref ObjectNode node = ref _nodes[place];
        return node.Table == 0 ? node.Index : (_nodes[OriginalOf(node.Table)].Index << 16) + node.Index;
    }

    /// <summary>What lives as long as the object at an address does.</summary>
    public readonly int OriginalOf(ulong target)
    {
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Kind is not ObjectKind.None and not ObjectKind.Untyped && _nodes[i].IsOriginal && _nodes[i].Object == target)
            {
                return i;
            }
        }

        return Nobody;
    }

    public readonly int MappedAt(ulong address)
    {
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Kind == ObjectKind.Frame && _nodes[i].MappedAt == address)
            {
                return i;
            }
        }

        return Nobody;
    }

    /// <summary>The next node from a place on, around the end; there is always one.</summary>
    public readonly int NextFrom(int place)
    {
        while (_nodes[place].Kind == ObjectKind.None)
        {
            place = (place + 1) % _nodes.Length;
        }

        return place;
    }

    /// <summary>All that came from it goes.</summary>
    public void Prune(int root)
    {
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Kind != ObjectKind.None && ComesFrom(i, root))
            {
                // What came from this one goes in the same way; whatever goes before its turn is free when it comes.
                Remove(i);
            }
        }

        _nodes[root].Watermark = 0;
    }

    /// <summary>It goes, with all that came from it, and with what lies in it.</summary>
    public void Remove(int place)
    {
        Prune(place);
        ObjectNode gone = _nodes[place];
        _nodes[place] = default;
        Count--;
        if (gone.Kind != ObjectKind.CapabilityTable || !gone.IsOriginal)
        {
            return;
        }

        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Kind != ObjectKind.None && _nodes[i].Table == gone.Object)
            {
                Remove(i);
            }
        }
    }

    private readonly bool ComesFrom(int place, int ancestor)
    {
        for (int i = _nodes[place].Parent; i != Nobody; i = _nodes[i].Parent)
        {
            if (i == ancestor)
            {
                return true;
            }
        }

        return false;
    }

    private readonly int At(ulong table, ulong index)
    {
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Kind != ObjectKind.None && _nodes[i].Table == table && _nodes[i].Index == index)
            {
                return i;
            }
        }

        return Nobody;
    }
}
