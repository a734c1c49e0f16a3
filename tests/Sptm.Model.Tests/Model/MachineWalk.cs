using System;
using System.Collections.Generic;

namespace Exclaves.Sptm.Model;

/// <summary>Runs the steps of all calls against two TLBs that fetch whatever the tables hold, whenever they like.</summary>
internal sealed class MachineWalk
{
    private const int EntryBits = 6;

    /// <summary>Number 0: nothing.</summary>
    private readonly List<TlbEntry> _entries = [default];
    private readonly Dictionary<TlbEntry, int> _numbers = [];
    private readonly Queue<(Node Node, int First, int Second)> _open = new();

    public long StateCount { get; private set; }

    public long TransitionCount { get; private set; }

    public static MachineWalk Run(Node start)
    {
        MachineWalk walk = new();
        walk.Enter(start, 0, 0);
        while (walk._open.TryDequeue(out (Node Node, int First, int Second) state))
        {
            walk.Leave(state.Node, state.First, state.Second);
        }

        return walk;
    }

    private void Enter(Node node, int first, int second)
    {
        TransitionCount++;
        ulong bit = 1ul << second;
        if ((node.Met[first] & bit) != 0)
        {
            return;
        }

        node.Met[first] |= bit;
        StateCount++;
        Judge(node, first, 0);
        Judge(node, second, 1);
        _open.Enqueue((node, first, second));
    }

    private void Leave(Node node, int first, int second)
    {
        node.Fetches ??= Array.ConvertAll(node.View.Visible, Number);
        foreach (int entry in node.Fetches)
        {
            Enter(node, entry, second);
            Enter(node, first, entry);
        }

        Enter(node, 0, second);
        Enter(node, first, 0);
        int firstAfter = After(node, first, 0);
        int secondAfter = After(node, second, 1);
        foreach (Node next in node.Next)
        {
            Enter(next, firstAfter, secondAfter);
        }
    }

    /// <summary>What the CPU's TLB holds when the node's effect has happened.</summary>
    private int After(Node node, int number, int cpu)
    {
        if (number == 0)
        {
            return 0;
        }

        TlbEntry entry = _entries[number];
        if (node.Renamed is { } renamed)
        {
            // Judge has admitted nothing that the tables do not hold.
            return Number(renamed[entry]);
        }

        return node.Effect is { } effect && (effect.Cpu < 0 || effect.Cpu == cpu) && effect.World == entry.World
            && (effect.Kind == EffectKind.InvalidateAll || (effect.Kind == EffectKind.Invalidate && entry.Covers(effect.Address)))
            ? 0
            : number;
    }

    private void Judge(Node node, int number, int cpu)
    {
        if (number == 0 || (node.Judged & (1ul << number)) != 0)
        {
            return;
        }

        if (node.Judge(_entries[number]) is { } why)
        {
            throw new ModelViolation($"CPU {cpu} may hold {_entries[number]}, but {why}\n  {node.Path()}");
        }

        node.Judged |= 1ul << number;
    }

    private int Number(TlbEntry entry)
    {
        if (!_numbers.TryGetValue(entry, out int number))
        {
            number = _entries.Count;
            if (number == 1 << EntryBits)
            {
                throw new ModelViolation("the model has too many different TLB entries");
            }

            _entries.Add(entry);
            _numbers.Add(entry, number);
        }

        return number;
    }
}
