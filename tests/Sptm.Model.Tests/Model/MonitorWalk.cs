using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>Every call by every caller in every state that such calls lead to.</summary>
internal sealed class MonitorWalk
{
    /// <summary>Calls that would raise a count further are not made.</summary>
    private const int HighestCount = 2;

    private static readonly FrameType[] Types = Enum.GetValues<FrameType>();
    private static readonly Domain[] Callers = [Domain.Xnu, Domain.Txm, Domain.Sk, (Domain)7];

    /// <summary>No frame, or not the start of one.</summary>
    private static readonly ulong[] Wrong = [0, Place.First + 8, DmaWindow.Limit + Place.Block, ulong.MaxValue & ~(Place.Page - 1)];

    private readonly Dictionary<string, (Node Node, Memory Memory)> _met = [];
    private readonly Queue<(Node Node, Memory Memory)> _open = new();
    private readonly Stage2<ModelMachine> _linux = new(Place.LinuxRoot, Place.Vmid(World.Linux), FrameRules.LinuxAccess(FrameType.XnuDefault));
    private readonly Stage2<ModelMachine> _secure = new(Place.SecureRoot, Place.Vmid(World.Secure), FrameRules.SkAccess(FrameType.XnuDefault));
    private Memory _memory;

    private MonitorWalk(int poolPages)
    {
        _memory = new Memory(poolPages);
    }

    public int StateCount => _met.Count;

    public long CallCount { get; private set; }

    public Node Start { get; private set; } = null!;

    public static MonitorWalk Run(int poolPages)
    {
        MonitorWalk walk = new(poolPages);
        walk.Boot();
        while (walk._open.TryDequeue(out (Node Node, Memory Memory) state))
        {
            walk.Leave(state.Node, state.Memory);
        }

        return walk;
    }

    /// <summary>Types and translations as boot leaves them.</summary>
    private void Boot()
    {
        ModelMachine.Memory = _memory;
        FrameTable frames = _memory.Frames;
        _ = frames.Claim(Place.Tables, Place.Page, FrameType.SptmPageTable);
        _ = frames.Claim(Place.Private, Place.Page, FrameType.SkDefault);
        frames.ClaimRestForLinux();
        Require(_linux.SetRange(ref _memory.Pool, Place.RamBase, Place.Tables - Place.RamBase, FrameAccess.All, device: false));
        Require(_linux.SetRange(ref _memory.Pool, Place.Window, Place.Page, FrameAccess.All, device: false));
        Require(_linux.SetRange(ref _memory.Pool, Place.First, Place.Gigabyte, FrameAccess.All, device: false));
        Require(_secure.SetRange(ref _memory.Pool, Place.Private, Place.Page, FrameAccess.ReadWrite, device: false));
        ModelMachine.Trace.Clear();
        Start = Enter("boot", null);
    }

    private static void Require(Status status)
    {
        if (status != Status.Ok)
        {
            throw new ModelViolation($"boot: {status}");
        }
    }

    /// <summary>The node of the state that memory is in.</summary>
    private Node Enter(string where, Node? parent)
    {
        string key = _memory.Key();
        if (_met.TryGetValue(key, out (Node Node, Memory Memory) known))
        {
            return known.Node;
        }

        Node node = new(View.Of(_memory), where, parent);
        CheckTables(node);
        Memory copy = _memory.Copy();
        _met.Add(key, (node, copy));
        _open.Enqueue((node, copy));
        return node;
    }

    private void Leave(Node node, Memory memory)
    {
        ModelMachine.Memory = _memory;
        _memory.CopyFrom(memory);
        foreach (ulong address in (ReadOnlySpan<ulong>)[.. Place.Frames, .. Wrong])
        {
            CheckCopies(address);
            foreach (Domain caller in Callers)
            {
                foreach (FrameType from in Types)
                {
                    foreach (FrameType to in Types)
                    {
                        Try(node, memory, new Call(0, caller, Operation.Retype, address, from, to));
                    }
                }

                for (Operation operation = Operation.Share; operation <= Operation.NameArgument; operation++)
                {
                    Try(node, memory, new Call(0, caller, operation, address));
                }
            }

            // The type was read before the lock was taken, so it may be an old one.
            Try(node, memory, new Call(0, Domain.Xnu, Operation.Touch, address, FrameType.SkDonated, FrameType.XnuDefault));
            Try(node, memory, new Call(0, Domain.Xnu, Operation.Touch, address, FrameType.SkSharedRo, FrameType.XnuDefault));
        }
    }

    /// <summary>Makes the call on CPU 0, and when it does something also on CPU 1.</summary>
    private void Try(Node node, Memory memory, Call call)
    {
        bool isFrame = _memory.Frames.Contains(call.Address) && call.Address % Place.Page == 0;
        FrameEntry before = isFrame ? _memory.Frame(call.Address) : default;
        if ((call.Operation == Operation.Share && before.BorrowCount >= HighestCount) || (call.Operation == Operation.NameArgument && before.ArgumentCount >= HighestCount))
        {
            return;
        }

        for (int cpu = 0; cpu < 2; cpu++)
        {
            CallCount++;
            ModelMachine.Cpu = cpu;
            ModelMachine.Trace.Clear();
            Status status;
            try
            {
                status = Make(call with { Cpu = cpu });
            }
            catch (ModelViolation violation)
            {
                throw new ModelViolation($"{violation.Message}\n  {node.Path()}\n  {call}");
            }

            if (status is not (Status.Ok or Status.NoMemory))
            {
                if (ModelMachine.Trace.Count != 0 || (isFrame && !Same(before, _memory.Frame(call.Address))))
                {
                    throw new ModelViolation($"{call} was refused and yet did something\n  {node.Path()}");
                }

                return;
            }

            CheckTypes(node, memory, call, status);
            Join(node, call with { Cpu = cpu });
            _memory.CopyFrom(memory);
        }
    }

    /// <summary>What the gate does with it: the caller must be one whom the dispatch table admits, or it goes no further.</summary>
    private Status Make(Call call)
    {
        FrameTable frames = _memory.Frames;
        bool isSk = call.Operation switch
        {
            Operation.Share => Dispatch.IsLegal(call.Caller, Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Borrow)),
            Operation.Unshare => Dispatch.IsLegal(call.Caller, Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Return)),
            Operation.ForgetArgument => Dispatch.IsLegal(call.Caller, Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.ArgumentDone)),
            _ => false,
        };
        return call.Operation switch
        {
            // The table of edges knows callers itself, so all of them get through to it.
            Operation.Retype => Retype.Apply(call.Caller, frames, _linux, _secure, ref _memory.Pool, call.Address, call.From, call.To),
            Operation.Touch => FrameRules.IsReclaimable(call.From)
                ? Retype.Apply(Domain.Sptm, frames, _linux, _secure, ref _memory.Pool, call.Address, call.From, call.To)
                : Status.Denied,
            Operation.Share when isSk => Sharing.Share(frames, _secure, ref _memory.Pool, call.Address),
            Operation.Unshare when isSk => Sharing.Unshare(frames, _secure, ref _memory.Pool, call.Address),
            Operation.ForgetArgument when isSk => Apply(frames, call.Address, FrameOperation.ForgetArgument),
            Operation.NameArgument when call.Caller == Domain.Xnu => Apply(frames, call.Address, FrameOperation.NameArgument),
            _ => Status.BadCall,
        };
    }

    private static Status Apply(in FrameTable frames, ulong address, FrameOperation operation) =>
        !frames.Contains(address) || address % Place.Page != 0 ? Status.Denied : FrameRules.Apply(ref frames.Entry(address), operation);

    /// <summary>One node for each step of the call that was made, then the state that it left.</summary>
    private void Join(Node node, Call call)
    {
        Node at = node;
        foreach ((Effect effect, View before) in ModelMachine.Trace)
        {
            Node step = new(before, call.ToString(), node) { Effect = effect };
            at.Next.Add(step);
            at = step;
        }

        Node state = Enter(call.ToString(), node);
        View view = View.Of(_memory);
        if (view.Visible.SequenceEqual(state.View.Visible))
        {
            at.Next.Add(state);
            return;
        }

        Node end = new(view, call + ", at its end", node) { Renamed = [] };
        foreach (TlbEntry entry in view.Visible)
        {
            end.Renamed.Add(entry, state.View.Visible.Single(other => other with { Table = 0 } == entry with { Table = 0 } && other.IsWalk == entry.IsWalk));
        }

        end.Next.Add(state);
        at.Next.Add(end);
    }

    /// <summary>Types changed as the specification allows, and nowhere else; who loses a frame loses what was in it.</summary>
    private void CheckTypes(Node node, Memory before, Call call, Status status)
    {
        foreach (ulong address in Place.Frames)
        {
            FrameType from = before.Frame(address).Type;
            FrameType to = _memory.Frame(address).Type;
            bool isLegal = from == to
                || (address == call.Address && status == Status.Ok && (call.Operation is Operation.Share or Operation.Unshare
                    ? call.Caller == Domain.Sk && from is FrameType.XnuDefault or FrameType.SkSharedRw && to is FrameType.XnuDefault or FrameType.SkSharedRw
                    : Specification.IsLegal(call.Operation == Operation.Touch ? Domain.Sptm : call.Caller, from, to)));
            FrameEntry now = _memory.Frame(address);
            bool isCounted = (now.Type == FrameType.SkSharedRw) == (now.BorrowCount != 0) && (now.ArgumentCount == 0 || now.Type is FrameType.XnuDefault or FrameType.SkSharedRw);
            bool isCleared = call.Operation is not (Operation.Retype or Operation.Touch) || from == to
                || ModelMachine.Trace.Any(step => step.Effect.Kind == EffectKind.Clear && step.Effect.Address == address);
            bool isOutside = !DmaWindow.Contains(address) || !Specification.IsLent(to);
            if (!isLegal || !isCleared || !isOutside || !isCounted)
            {
                throw new ModelViolation($"{call}: {from} became {to}"
                    + (isLegal ? "" : ", no legal edge") + (isCleared ? "" : ", not cleared") + (isOutside ? "" : ", in reach of devices")
                    + (isCounted ? "" : $", with {now.BorrowCount} borrowings and {now.ArgumentCount} requests") + $"\n  {node.Path()}");
            }
        }
    }

    /// <summary>Between calls tables say of every frame of RAM what its type says (I1, I2), and no entry of a block's table is counted wrong.</summary>
    private void CheckTables(Node node)
    {
        List<TlbEntry> leaf = [];
        for (ulong address = Place.RamBase; address < Place.RamBase + (Place.RamFrames * Place.Page); address += Place.Page)
        {
            for (World world = World.Linux; world <= World.Secure; world++)
            {
                leaf.Clear();
                View.Walk(_memory, world, address, leaf);
                FrameAccess access = leaf.Count == 0 || leaf[^1].IsWalk ? FrameAccess.None : leaf[^1].Access;
                if (access != Specification.Allowed(world, _memory.Frame(address).Type))
                {
                    throw new ModelViolation($"{world} has {access} to {address:x}, which is {_memory.Frame(address).Type}\n  {node.Path()}");
                }
            }
        }
    }

    /// <summary>What SPTM reads and writes itself for SK.</summary>
    private void CheckCopies(ulong address)
    {
        bool reads = CopyRules.CheckRead(_memory.Frames, address, Place.Private, 8) == Status.Ok;
        bool writes = CopyRules.CheckWrite(_memory.Frames, address, Place.Private, 8) == Status.Ok;
        FrameType type = _memory.Frames.TypeOf(address);
        if ((reads && Specification.Allowed(World.Linux, type) != FrameAccess.All) || (writes && (!reads || _memory.Frame(address).ArgumentCount == 0)))
        {
            throw new ModelViolation($"SPTM copies from or to {address:x}, which is {type}");
        }
    }

    private static bool Same(FrameEntry one, FrameEntry other) =>
        one.Type == other.Type && one.BorrowCount == other.BorrowCount && one.ArgumentCount == other.ArgumentCount;
}
