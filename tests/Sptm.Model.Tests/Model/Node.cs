using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>A moment of the machine: between two calls, or in the middle of one, right before <see cref="Effect"/>.</summary>
internal sealed class Node
{
    private readonly string _where;
    private readonly Node? _parent;

    /// <param name="where">What is being done; for a state between calls, what led there.</param>
    public Node(View view, string where, Node? parent)
    {
        View = view;
        _where = where;
        _parent = parent;
    }

    public View View { get; }

    /// <summary>What happens next; null between calls and at the end of one.</summary>
    public Effect? Effect { get; init; }

    /// <summary>No call runs, or this one is over: nothing stale may be left.</summary>
    public bool IsRest => Effect is null;

    public List<Node> Next { get; } = [];

    /// <summary>Pages of the pool that have another number in the next node, whose state was met first by another way.</summary>
    public Dictionary<TlbEntry, TlbEntry>? Renamed { get; set; }

    /// <summary>Numbers of what TLBs can fetch here; null until somebody asked.</summary>
    public int[]? Fetches { get; set; }

    /// <summary>One bit for each number of an entry that was judged here.</summary>
    public ulong Judged { get; set; }

    /// <summary>Pairs of TLB contents that were met here: one bit for each pair of entry numbers.</summary>
    public ulong[] Met { get; } = new ulong[64];

    /// <summary>Why a TLB must not hold <paramref name="entry"/> now; null when it may.</summary>
    public string? Judge(TlbEntry entry)
    {
        for (int i = 0; i < View.Types.Length && !entry.IsWalk; i++)
        {
            if (entry.Covers(Place.Frames[i]) && (entry.Access & ~Specification.Allowed(entry.World, View.Types[i])) != 0)
            {
                return $"frame {Place.Frames[i]:x} is {View.Types[i]}";
            }
        }

        const FrameAccess WriteAndExecute = FrameAccess.Write | FrameAccess.Execute;
        if (entry.World == World.Secure && (entry.Access & WriteAndExecute) == WriteAndExecute)
        {
            return "it is writable and executable";
        }

        return Effect switch
        {
            { Kind: EffectKind.Clear } clear when LeadsTo(entry, clear.Address) => "the frame is being cleared",
            { Kind: EffectKind.Make } make when make.World == entry.World && Clashes(entry, make) => "its place in the tables is made valid again",
            null when System.Array.IndexOf(View.Visible, entry) < 0 => "the tables say otherwise",
            _ => null,
        };
    }

    public string Path()
    {
        Stack<string> steps = new();
        for (Node? node = this; node is not null; node = node._parent)
        {
            steps.Push(node.Effect is { } effect ? $"{node._where}, before {effect}" : node._where);
        }

        return string.Join("\n  ", steps);
    }

    private static bool LeadsTo(TlbEntry entry, ulong frame) =>
        entry.IsWalk ? Place.LinuxRoot + ((ulong)entry.Table * Place.Page) == frame : entry.Covers(frame);

    /// <summary>A translation under the new entry, or a pointer read from it.</summary>
    private static bool Clashes(TlbEntry entry, Effect make) =>
        entry.IsWalk ? entry.Level == make.Level && entry.Base == make.Address
            : entry.Level >= make.Level ? Place.Base(entry.Base, make.Level) == make.Address
            : entry.Covers(make.Address);
}
