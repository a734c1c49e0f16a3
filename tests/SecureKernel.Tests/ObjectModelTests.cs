using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Retype, derive, move, revoke, delete, map and unmap in random order against a plain tree of who got what from whom.</summary>
public class ObjectModelTests
{
    private const uint UntypedSlot = 10;
    private const ulong UntypedBytes = 0x2_0000;
    private const ulong Page = Limits.PageBytes;

    /// <summary>One capability. <see cref="Table"/> is the table it lies in, by address; 0 = the component's own.</summary>
    private sealed class Node
    {
        public CapabilityKind Kind;
        public CapabilityRights Rights;
        public ulong Badge;
        public ulong Object;
        public int Size;
        public bool IsOriginal;
        public bool IsDeclared;
        public Node? Parent;
        public ulong Watermark;
        public ulong MappedAt;
        public ulong Table;
        public ulong Index;

        public int Depth => Parent == null ? 0 : Parent.Depth + 1;

        public bool Comes(Node ancestor) => Parent != null && (Parent == ancestor || Parent.Comes(ancestor));
    }

    private sealed class Model
    {
        private readonly Sk _sk;
        private readonly Random _random;
        private readonly List<Node> _nodes = [];

        public Model(int seed)
        {
            _random = new Random(seed);
            _sk = Sk.Prepare();
            Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, UntypedBytes, 0);
            _sk = Sk.BootPrepared(_sk);
            _sk.Forward(0, Sk.HelloSlot, Sk.Hello);
            ref CapabilityTable table = ref _sk.At(Sk.Hello).Capabilities;
            for (uint slot = 1; slot < table.Slots; slot++)
            {
                CapabilitySlot held = FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(slot));
                if (!held.IsEmpty)
                {
                    Capability word = held.Capability;
                    Node? parent = word.Depth == 0 ? null : new Node();
                    _nodes.Add(new Node
                    {
                        Kind = word.Kind,
                        Rights = word.Rights,
                        Badge = held.Badge,
                        Object = word.Object,
                        Size = word.SizeLog2,
                        IsOriginal = word.IsOriginal,
                        IsDeclared = true,
                        Parent = parent,
                        Index = slot,
                    });
                }
            }
        }

        public int Refused { get; private set; }
        public int Done { get; private set; }

        public void Step()
        {
            ulong to = Name();
            ulong from = _random.Next(3) == 0 ? Name() : NameOf(_nodes[_random.Next(_nodes.Count)]);
            switch (_random.Next(20))
            {
                case < 6:
                    Retype(_random.Next(3) == 0 ? from : UntypedSlot, to);
                    break;
                case < 10:
                    Derive(to, from, (CapabilityRights)_random.Next(64), _random.Next(2) == 0 ? 0 : (ulong)_random.Next(1, 100));
                    break;
                case < 12:
                    Move(to, from);
                    break;
                case < 13:
                    Revoke(from);
                    break;
                case < 15:
                    Delete(from);
                    break;
                case < 18:
                    Map(from, (ulong)_random.Next(0, 5));
                    break;
                default:
                    Unmap(from);
                    break;
            }

            Check();
        }

        /// <summary>Names near what is there: own slots, slots of tables, and nonsense.</summary>
        private ulong Name()
        {
            Node[] tables = [.. _nodes.Where(n => n.Kind == CapabilityKind.Table)];
            return _random.Next(12) switch
            {
                0 => 0,
                1 => CapabilityTable.PageSlots,
                2 => ulong.MaxValue,
                3 => (7ul << 16) | 3,
                4 or 5 when tables.Length != 0 => (tables[_random.Next(tables.Length)].Index << 16) + (ulong)_random.Next(0, 130),
                _ => (ulong)_random.Next(1, 30),
            };
        }

        private ulong NameOf(Node node) =>
            node.Table == 0 ? node.Index : (_nodes.Find(n => n.IsOriginal && n.Kind == CapabilityKind.Table && n.Object == node.Table)!.Index << 16) + node.Index;

        private bool TryPlace(ulong name, out ulong table, out ulong index)
        {
            (table, index) = (0, name);
            if (name < CapabilityTable.PageSlots)
            {
                return name != 0;
            }

            Node? outer = _nodes.Find(n => n.Table == 0 && n.Index == name >> 16 && n.Kind == CapabilityKind.Table);
            (table, index) = (outer?.Object ?? 0, name & 0xFFFF);
            return outer != null && index < CapabilityTable.PageSlots;
        }

        private Node? Find(ulong name) => TryPlace(name, out ulong table, out ulong index) ? _nodes.Find(n => n.Table == table && n.Index == index) : null;

        private Status Empty(ulong name) => !TryPlace(name, out _, out _) ? Status.BadArgument : Find(name) == null ? Status.Ok : Status.BadState;

        private void Expect(Status expected, SecureCall call, ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, ulong x4 = 0)
        {
            _sk.Complete(0, call, x0, x1, x2, x3, x4);
            _sk.AssertRuns(0, Sk.Hello);
            Assert.True(expected == _sk.Result(Sk.Hello), $"{call} {x0:x} {x1:x} {x2:x} {x3:x} {x4:x}: {_sk.Result(Sk.Hello)}, not {expected}");
            (Refused, Done) = expected == Status.Ok ? (Refused, Done + 1) : (Refused + 1, Done);
        }

        private void Retype(ulong from, ulong first)
        {
            ObjectKind kind = (ObjectKind)_random.Next(0, 8);
            ulong size = kind == ObjectKind.Untyped ? (ulong)_random.Next(11, 16) : _random.Next(10) == 0 ? 12ul : 0;
            ulong count = (ulong)_random.Next(1, 7);
            Status status = Status.Ok;
            for (ulong i = 0; i < count && status == Status.Ok; i++)
            {
                status = RetypeOne(from, kind, size, first + i);
            }

            Expect(status, SecureCall.Retype, from, (ulong)kind, size, first, count);
        }

        private Status RetypeOne(ulong from, ObjectKind kind, ulong size, ulong to)
        {
            (CapabilityKind made, int log2, CapabilityRights rights) = kind switch
            {
                ObjectKind.Untyped => (CapabilityKind.Untyped, (int)size, CapabilityRights.Use),
                ObjectKind.Frame => (CapabilityKind.Frame, 12, CapabilityRights.Map | CapabilityRights.Write),
                ObjectKind.Endpoint => (CapabilityKind.Endpoint, 6, CapabilityRights.Send | CapabilityRights.Receive | CapabilityRights.Grant),
                ObjectKind.Notification => (CapabilityKind.Notification, 6, CapabilityRights.Send | CapabilityRights.Receive),
                ObjectKind.Reply => (CapabilityKind.Reply, 6, CapabilityRights.Use),
                ObjectKind.CapabilityTable => (CapabilityKind.Table, 12, CapabilityRights.Use),
                _ => default,
            };
            if (made == CapabilityKind.None || (kind == ObjectKind.Untyped ? size < 12 : size != 0))
            {
                return Status.BadArgument;
            }

            Node? untyped = Find(from);
            if (untyped?.Kind != CapabilityKind.Untyped)
            {
                return Status.BadCapability;
            }

            Status empty = EmptyFor(to, made);
            if (empty != Status.Ok)
            {
                return empty;
            }

            ulong bytes = 1ul << log2;
            ulong start = (untyped.Object + untyped.Watermark + bytes - 1) & ~(bytes - 1);
            if (start + bytes > untyped.Object + (1ul << untyped.Size))
            {
                return Status.NoMemory;
            }

            untyped.Watermark = start + bytes - untyped.Object;
            TryPlace(to, out ulong table, out ulong index);
            _nodes.Add(new Node { Kind = made, Rights = rights, Object = start, Size = log2, IsOriginal = true, Parent = untyped, Table = table, Index = index });
            return Status.Ok;
        }

        private Status EmptyFor(ulong to, CapabilityKind kind)
        {
            Status empty = Empty(to);
            return empty == Status.Ok && to >= CapabilityTable.PageSlots && kind is CapabilityKind.Untyped or CapabilityKind.Table ? Status.BadArgument : empty;
        }

        private void Derive(ulong to, ulong from, CapabilityRights rights, ulong badge)
        {
            Node? source = Find(from);
            Status status = !TryPlace(from, out _, out _) ? Status.BadCapability : Empty(to);
            bool badged = source?.Kind is CapabilityKind.Endpoint or CapabilityKind.Notification;
            if (status == Status.Ok)
            {
                status = source == null ? Status.BadCapability
                    : (!badged && source.Kind != CapabilityKind.Frame) || (badge != 0 && (!badged || source.Badge != 0)) ? Status.Denied
                    : source.Depth == Capability.MaxDepth ? Status.BadState
                    : Status.Ok;
            }

            if (status == Status.Ok)
            {
                TryPlace(to, out ulong table, out ulong index);
                _nodes.Add(new Node
                {
                    Kind = source!.Kind,
                    Rights = source.Rights & rights,
                    Badge = badged ? source.Badge | badge : 0,
                    Object = source.Object,
                    Size = source.Size,
                    Parent = source,
                    Table = table,
                    Index = index,
                });
            }

            Expect(status, SecureCall.Derive, to, from, (ulong)rights, badge);
        }

        private void Move(ulong to, ulong from)
        {
            Node? source = Find(from);
            Status status = source == null ? Status.BadCapability : source.IsDeclared ? Status.Denied : EmptyFor(to, source.Kind);
            if (status == Status.Ok)
            {
                TryPlace(to, out source!.Table, out source.Index);
            }

            Expect(status, SecureCall.Move, to, from);
        }

        private void Revoke(ulong name)
        {
            Node? node = Find(name);
            if (node != null)
            {
                Prune(node);
            }

            Expect(node == null ? Status.BadCapability : Status.Ok, SecureCall.Revoke, name);
        }

        private void Delete(ulong name)
        {
            Node? node = Find(name);
            Status status = node == null ? Status.BadCapability : node.IsDeclared ? Status.Denied : Status.Ok;
            if (status == Status.Ok)
            {
                Remove(node!);
            }

            Expect(status, SecureCall.Delete, name);
        }

        private void Prune(Node root)
        {
            while (_nodes.Find(n => n.Comes(root)) is { } descendant)
            {
                Remove(descendant);
            }

            root.Watermark = 0;
        }

        private void Remove(Node node)
        {
            Prune(node);
            _nodes.Remove(node);
            while (node.Kind == CapabilityKind.Table && node.IsOriginal && _nodes.Find(n => n.Table == node.Object) is { } inside)
            {
                Remove(inside);
            }
        }

        private void Map(ulong name, ulong place)
        {
            MemoryAccess access = _random.Next(4) switch { 0 => MemoryAccess.None, 1 => MemoryAccess.Read, _ => MemoryAccess.Read | MemoryAccess.Write };
            CapabilityRights rights = access == (MemoryAccess.Read | MemoryAccess.Write) ? CapabilityRights.Map | CapabilityRights.Write : CapabilityRights.Map;
            ulong address = place switch { 0 => UserLayout.SharedBase, 1 => UserLayout.PrivateBase + 8, _ => UserLayout.PrivateBase + (place * Page) };
            Node? frame = Find(name);
            Status status = frame?.Kind != CapabilityKind.Frame ? Status.BadCapability
                : (frame.Rights & rights) != rights ? Status.Denied
                : place < 2 || access == MemoryAccess.None ? Status.BadArgument
                : frame.MappedAt != 0 ? Status.BadState
                : _nodes.Exists(n => n.MappedAt == address) ? Status.BadState
                : Status.Ok;
            if (status == Status.Ok)
            {
                frame!.MappedAt = address;
            }

            Expect(status, SecureCall.MapFrame, name, address, (ulong)access);
        }

        private void Unmap(ulong name)
        {
            Node? frame = Find(name);
            Status status = frame?.Kind != CapabilityKind.Frame ? Status.BadCapability : (frame.Rights & CapabilityRights.Map) == 0 ? Status.Denied : Status.Ok;
            if (status == Status.Ok)
            {
                frame!.MappedAt = 0;
            }

            Expect(status, SecureCall.UnmapFrame, name);
        }

        private void Check()
        {
            ref Component hello = ref _sk.At(Sk.Hello);
            CheckTable(hello.Capabilities.Base, 0);
            foreach (Node table in _nodes.Where(n => n.Kind == CapabilityKind.Table && n.IsOriginal))
            {
                CheckTable(table.Object, table.Object);
            }

            for (ulong place = 2; place < 5; place++)
            {
                ulong address = UserLayout.PrivateBase + (place * Page);
                Node? mapped = _nodes.Find(n => n.MappedAt == address);
                PageEntry entry = hello.Space.Lookup<FakeMachine>(address);
                Assert.Equal((mapped?.Object ?? 0, mapped == null), (entry.Frame, entry.IsHole));
            }

            // What is not given out is zero.
            Node untyped = _nodes.First(n => n.Kind == CapabilityKind.Untyped && n.Depth == 0);
            ulong free = untyped.Object + untyped.Watermark;
            Assert.Equal(-1, FakeMachine.Machine.Memory.AsSpan((int)(free - FakeMachine.MemoryBase), (int)(untyped.Object + UntypedBytes - free)).IndexOfAnyExcept((byte)0));
        }

        private void CheckTable(ulong table, ulong id)
        {
            for (ulong index = 0; index < CapabilityTable.PageSlots; index++)
            {
                ulong address = table + (index * CapabilitySlot.Bytes);
                CapabilitySlot slot = FakeMachine.At<CapabilitySlot>(address);
                Node? node = _nodes.Find(n => n.Table == id && n.Index == index);
                Assert.Equal(node == null, slot.IsEmpty);
                if (node == null)
                {
                    Assert.Equal(default, slot);
                    continue;
                }

                Capability word = slot.Capability;
                Assert.Equal((node.Kind, node.Rights, node.Object, node.Size, node.IsOriginal, node.IsDeclared), (word.Kind, word.Rights, word.Object, word.SizeLog2, word.IsOriginal, word.IsDeclared));
                ulong extra = node.Kind switch
                {
                    CapabilityKind.Untyped => node.Watermark,
                    CapabilityKind.Frame => node.MappedAt == 0 ? 0 : FrameMapping.Create(Sk.Hello, node.MappedAt).Value,
                    _ => node.Badge,
                };
                Assert.Equal(extra, slot.Badge);
                Assert.True(slot.Next == 0 || FakeMachine.At<CapabilitySlot>(slot.Next).Previous == address);
                Assert.True(slot.Previous == 0 || FakeMachine.At<CapabilitySlot>(slot.Previous).Next == address);
            }
        }
    }

    [Fact]
    public void CapabilitiesAreWhatAPlainTreeSays()
    {
        int done = 0;
        int refused = 0;
        Gen.Select(Gen.Int, Gen.Int[50, 400]).Sample(
            (seed, steps) =>
            {
                Model model = new(seed);
                for (int i = 0; i < steps; i++)
                {
                    model.Step();
                }

                System.Threading.Interlocked.Add(ref done, model.Done);
                System.Threading.Interlocked.Add(ref refused, model.Refused);
            },
            iter: 150);
        Assert.True(done > 3000 && refused > 3000, $"{done} done, {refused} refused");
    }
}
