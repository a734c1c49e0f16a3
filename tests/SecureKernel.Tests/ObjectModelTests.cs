using System;
using System.Threading;
using CsCheck;
using Exclaves.Abi;
using Exclaves.ObjectModel;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>The walks of tests/ObjectModel, with every slot of SK's tables compared after each step. In the machine: <c>exclave-guest probe walk</c>.</summary>
public class ObjectModelTests
{
    private const uint UntypedSlot = 10;
    private const ulong UntypedBytes = 0x2_0000;

    /// <summary>Hello, which serves a call of Linux.</summary>
    private readonly struct Subject(Sk sk) : IWalkSubject
    {
        public Status Call(SecureCall call, ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, out ulong value)
        {
            sk.Message(Sk.Hello).Length = MessageHeader.MaxBodyBytes + 1;
            sk.Complete(0, call, x0, x1, x2, x3, x4);
            sk.AssertRuns(0, Sk.Hello);
            value = sk.On(Sk.Hello).Context.X[1];
            return sk.Result(Sk.Hello);
        }

        public ulong Load(ulong address) => Word(address);

        public void Store(ulong address, ulong value)
        {
            Assert.True(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(address).IsWritable);
            Word(address) = value;
        }

        private ref ulong Word(ulong address) => ref FakeMachine.At<ulong>(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(address).Frame | (address & (Limits.PageBytes - 1)));
    }

    [Fact]
    public void CapabilitiesAreWhatAPlainTreeSays()
    {
        long done = 0;
        long refused = 0;
        Gen.Select(Gen.ULong, Gen.Int[50, 400]).Sample(
            (seed, steps) =>
            {
                Sk sk = Boot();
                ObjectWalk<Subject> walk = new(new Subject(sk), Held(sk, new ObjectNode[1024]), UntypedSlot, seed);
                for (int i = 0; i < steps; i++)
                {
                    Assert.True(walk.TryStep(), Describe(walk.Difference));
                    Check(sk, in walk.Tree);
                }

                Assert.True(walk.TryEnd(), Describe(walk.Difference));
                Check(sk, in walk.Tree);
                Interlocked.Add(ref done, (long)walk.Done);
                Interlocked.Add(ref refused, (long)walk.Refused);
            },
            iter: 600);
        Assert.True(done > 20_000 && refused > 900_000, $"{done} done, {refused} refused");
    }

    private static string Describe(in WalkDifference difference) => difference.Call == SecureCall.None
        ? $"{difference.X0:x} has {difference.CameValue:x}, not {difference.DueValue:x}"
        : $"{difference.Call} {difference.X0:x} {difference.X1:x} {difference.X2:x} {difference.X3:x}: {difference.Came} {difference.CameValue:x}, not {difference.Due} {difference.DueValue:x}";

    private static Sk Boot()
    {
        Sk sk = Sk.Prepare();
        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, UntypedBytes, 0);
        sk = Sk.BootPrepared(sk);
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        return sk;
    }

    /// <summary>What Hello holds from the start.</summary>
    private static ObjectTree Held(Sk sk, Span<ObjectNode> nodes)
    {
        ObjectTree tree = new(nodes);
        ref CapabilityTable table = ref sk.At(Sk.Hello).Capabilities;
        for (uint slot = 1; slot < table.Slots; slot++)
        {
            CapabilitySlot held = FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(slot));
            if (!held.IsEmpty)
            {
                Capability word = held.Capability;
                tree.Add(new ObjectNode
                {
                    Kind = word.Kind == CapabilityKind.Untyped ? ObjectKind.Untyped : ObjectKind.Endpoint,
                    Rights = word.Rights,
                    Badge = held.Badge,
                    Object = word.Object,
                    SizeLog2 = word.SizeLog2,
                    IsOriginal = word.IsOriginal,
                    IsDeclared = true,
                    Parent = ObjectTree.Nobody,
                    Depth = word.Depth,
                    Index = slot,
                });
            }
        }

        return tree;
    }

    private static void Check(Sk sk, in ObjectTree tree)
    {
        ref Component hello = ref sk.At(Sk.Hello);
        CheckTable(hello.Capabilities.Base, 0, in tree);
        ObjectNode untyped = default;
        for (int i = 0; i < tree.Length; i++)
        {
            if (tree[i].Kind == ObjectKind.CapabilityTable)
            {
                CheckTable(tree[i].Object, tree[i].Object, in tree);
            }

            untyped = tree[i].Kind == ObjectKind.Untyped && tree[i].IsDeclared ? tree[i] : untyped;
        }

        for (ulong address = UserLayout.PrivateBase; address < ObjectWalk<Subject>.EndOfPages; address += Limits.PageBytes)
        {
            int mapped = tree.MappedAt(address);
            PageEntry entry = hello.Space.Lookup<FakeMachine>(address);
            Assert.Equal((mapped < 0 ? 0 : tree[mapped].Object, mapped < 0), (entry.Frame, entry.IsHole));
        }

        // What is not given out is zero.
        ulong free = untyped.Object + untyped.Watermark;
        Assert.Equal(-1, FakeMachine.Machine.Memory.AsSpan((int)(free - FakeMachine.MemoryBase), (int)(untyped.Object + UntypedBytes - free)).IndexOfAnyExcept((byte)0));
    }

    private static void CheckTable(ulong table, ulong id, in ObjectTree tree)
    {
        Span<int> places = stackalloc int[(int)CapabilityTable.PageSlots];
        places.Fill(ObjectTree.Nobody);
        for (int i = 0; i < tree.Length; i++)
        {
            if (tree[i].Kind != ObjectKind.None && tree[i].Table == id)
            {
                Assert.Equal(ObjectTree.Nobody, places[(int)tree[i].Index]);
                places[(int)tree[i].Index] = i;
            }
        }

        for (ulong index = 0; index < CapabilityTable.PageSlots; index++)
        {
            ulong address = table + (index * CapabilitySlot.Bytes);
            CapabilitySlot slot = FakeMachine.At<CapabilitySlot>(address);
            if (places[(int)index] == ObjectTree.Nobody)
            {
                Assert.Equal(default, slot);
                continue;
            }

            ref ObjectNode node = ref tree[places[(int)index]];
            Capability word = slot.Capability;
            Assert.Equal((KindOf(node.Kind), node.Rights, node.Object, node.SizeLog2), (word.Kind, word.Rights, word.Object, word.SizeLog2));
            Assert.Equal((node.IsOriginal, node.IsDeclared, node.Depth), (word.IsOriginal, word.IsDeclared, word.Depth));
            ulong extra = node.Kind switch
            {
                ObjectKind.Untyped => node.Watermark,
                ObjectKind.Frame => node.MappedAt == 0 ? 0 : FrameMapping.Create(Sk.Hello, node.MappedAt).Value,
                _ => node.Badge,
            };
            Assert.Equal(extra, slot.Badge);
            Assert.True(slot.Next == 0 || FakeMachine.At<CapabilitySlot>(slot.Next).Previous == address);
            Assert.True(slot.Previous == 0 || FakeMachine.At<CapabilitySlot>(slot.Previous).Next == address);
        }
    }

    private static CapabilityKind KindOf(ObjectKind kind) => kind switch
    {
        ObjectKind.Untyped => CapabilityKind.Untyped,
        ObjectKind.Frame => CapabilityKind.Frame,
        ObjectKind.Endpoint => CapabilityKind.Endpoint,
        ObjectKind.Notification => CapabilityKind.Notification,
        ObjectKind.Reply => CapabilityKind.Reply,
        ObjectKind.CapabilityTable => CapabilityKind.Table,
        _ => CapabilityKind.None,
    };
}
