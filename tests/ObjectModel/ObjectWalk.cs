using System;
using Exclaves.Abi;

namespace Exclaves.ObjectModel;

/// <summary>Retype, derive, move, revoke, delete, map, unmap, signal in random order, against a plain tree of who got what from whom.</summary>
/// <remarks>What a step expects is said here in the words of <see cref="SecureCall"/>, in the order in which SK refuses.</remarks>
public ref struct ObjectWalk<TSubject> where TSubject : struct, IWalkSubject
{
    /// <summary>Nothing ever lies in this slot of the component's own table.</summary>
    private const ulong Nothing = ObjectTree.TableSlots - 1;

    /// <summary>One retype makes so many, at most.</summary>
    private const ulong MaxMade = 6;

    /// <summary>Slots of the own table that the walk fills.</summary>
    private const int OwnNames = 30;

    /// <summary>Steps between two questions about everything.</summary>
    private const ulong Survey = 64;
    private const ulong Page = UserLayout.PageBytes;
    private const ulong LastWord = Page - sizeof(ulong);

    /// <summary>Pages from <see cref="UserLayout.PrivateBase"/> on where frames are mapped.</summary>
    private const ulong FirstPlace = 2;
    private const ulong EndOfPlaces = 5;

    /// <summary>The caller maps no memory of its own below: the walk has these pages.</summary>
    public const ulong EndOfPages = UserLayout.PrivateBase + (EndOfPlaces * Page);

    private readonly TSubject _subject;
    private readonly ulong _untyped;
    private ulong _random;
    private ulong _steps;

    /// <summary>What the system should be like now.</summary>
    public ObjectTree Tree;

    /// <param name="tree">What the component holds, with untyped memory in slot <paramref name="untyped"/>.</param>
    public ObjectWalk(TSubject subject, scoped in ObjectTree tree, ulong untyped, ulong seed)
    {
        _subject = subject;
        Tree = tree;
        _untyped = untyped;
        _random = (seed * 0x9E37_79B9_7F4A_7C15) | 1;
        _steps = 0;
        Done = 0;
        Refused = 0;
        Difference = default;
    }

    /// <summary>Calls that were to succeed, and did.</summary>
    public ulong Done { get; private set; }

    /// <summary>Calls that were to be refused, and were, for that reason.</summary>
    public ulong Refused { get; private set; }

    public WalkDifference Difference { get; private set; }

    /// <summary>One more system call, then questions.</summary>
    /// <returns>False when system and model differ, now or before.</returns>
    public bool TryStep()
    {
        if (Difference.IsSome)
        {
            return false;
        }

        if (Tree.Count + (int)MaxMade > Tree.Length)
        {
            Revoke(_untyped);
        }

        Act();
        Ask(Name());
        Look();
        if (++_steps % Survey == 0)
        {
            for (int i = 0; i < Tree.Length; i++)
            {
                if (Tree[i].Kind != ObjectKind.None)
                {
                    Ask(Tree.NameOf(i));
                }
            }
        }

        return !Difference.IsSome;
    }

    /// <summary>Gives back all that the walk made.</summary>
    public bool TryEnd()
    {
        for (int i = 0; i < Tree.Length; i++)
        {
            if (Tree[i].Kind != ObjectKind.None && Tree[i].IsDeclared)
            {
                Revoke(Tree.NameOf(i));
            }
        }

        Look();
        return !Difference.IsSome;
    }

    private void Act()
    {
        ulong to = Next(4) == 0 ? Name() : EmptyName();
        ulong from = Next(3) == 0 ? Name() : Tree.NameOf(Tree.NextFrom((int)Next((ulong)Tree.Length)));
        switch (Next(22))
        {
            case < 6:
                Retype(Next(3) == 0 ? from : _untyped, to);
                break;
            case < 10:
                Derive(to, Next(2) == 0 ? from : NameOfA(ObjectKind.Notification, from), (CapabilityRights)Next(64), Next(2) == 0 ? 0 : 1 + Next(99));
                break;
            case < 12:
                Move(to, from);
                break;
            case < 13:
                Revoke(Next(4) == 0 ? _untyped : from);
                break;
            case < 15:
                Delete(from);
                break;
            case < 18:
                Map(NameOfA(ObjectKind.Frame, from), Next(EndOfPlaces));
                break;
            case < 20:
                Unmap(NameOfA(ObjectKind.Frame, from));
                break;
            default:
                Signal(NameOfA(ObjectKind.Notification, from));
                break;
        }
    }

    /// <summary>Names near what is there: own slots, slots of tables, and nonsense.</summary>
    private ulong Name()
    {
        ulong choice = Next(12);
        if (choice is 4 or 5)
        {
            int table = RandomOf(ObjectKind.CapabilityTable);
            if (table != ObjectTree.Nobody)
            {
                return (Tree[table].Index << 16) + Next(ObjectTree.TableSlots + 2);
            }
        }

        return choice switch
        {
            0 => 0,
            1 => ObjectTree.TableSlots,
            2 => ulong.MaxValue,
            3 => (7ul << 16) | 3,
            _ => Next(OwnNames - 1) + 1,
        };
    }

    /// <summary>Mostly one where something can be put.</summary>
    private ulong EmptyName()
    {
        const int Tries = 4;
        ulong name = Name();
        for (int i = 0; i < Tries && Empty(name) != Status.Ok; i++)
        {
            name = Name();
        }

        return name;
    }

    /// <summary>Mostly one of a kind, if there is any.</summary>
    private ulong NameOfA(ObjectKind kind, ulong other)
    {
        int place = Next(4) == 0 ? ObjectTree.Nobody : RandomOf(kind);
        return place == ObjectTree.Nobody ? other : Tree.NameOf(place);
    }

    private int RandomOf(ObjectKind kind)
    {
        int start = (int)Next((ulong)Tree.Length);
        for (int i = 0; i < Tree.Length; i++)
        {
            int place = (start + i) % Tree.Length;
            if (Tree[place].Kind == kind)
            {
                return place;
            }
        }

        return ObjectTree.Nobody;
    }

    private readonly Status Empty(ulong name) =>
        !Tree.TryPlace(name, out _, out _) ? Status.BadArgument : Tree.Find(name) == ObjectTree.Nobody ? Status.Ok : Status.BadState;

    /// <summary>Memory and tables lie in the component's own table alone.</summary>
    private readonly Status EmptyFor(ulong to, ObjectKind kind)
    {
        Status empty = Empty(to);
        return empty == Status.Ok && to >= ObjectTree.TableSlots && kind is ObjectKind.Untyped or ObjectKind.CapabilityTable ? Status.BadArgument : empty;
    }

    private readonly Status HeldAs(ulong name, ObjectKind kind, CapabilityRights rights, out int place)
    {
        place = Tree.Find(name);
        return place == ObjectTree.Nobody || Tree[place].Kind != kind ? Status.BadCapability : (Tree[place].Rights & rights) != rights ? Status.Denied : Status.Ok;
    }

    private void Retype(ulong from, ulong first)
    {
        ObjectKind kind = (ObjectKind)Next(8);
        ulong size = kind == ObjectKind.Untyped ? 11 + Next(5) : Next(10) == 0 ? 12ul : 0;
        ulong count = 1 + Next(MaxMade);
        Status status = Status.Ok;
        for (ulong i = 0; i < count && status == Status.Ok; i++)
        {
            status = RetypeOne(from, kind, size, first + i);
        }

        Expect(status, SecureCall.Retype, from, (ulong)kind, size, first, count);
    }

    private Status RetypeOne(ulong from, ObjectKind kind, ulong size, ulong to)
    {
        const int ObjectLog2 = 6;
        const int PageLog2 = 12;
        (int log2, CapabilityRights rights) = kind switch
        {
            ObjectKind.Untyped => ((int)size, CapabilityRights.Use),
            ObjectKind.Frame => (PageLog2, CapabilityRights.Map | CapabilityRights.Write),
            ObjectKind.Endpoint => (ObjectLog2, CapabilityRights.Send | CapabilityRights.Receive | CapabilityRights.Grant),
            ObjectKind.Notification => (ObjectLog2, CapabilityRights.Send | CapabilityRights.Receive),
            ObjectKind.Reply => (ObjectLog2, CapabilityRights.Use),
            ObjectKind.CapabilityTable => (PageLog2, CapabilityRights.Use),
            _ => default,
        };
        if (rights == CapabilityRights.None || (kind == ObjectKind.Untyped ? size < PageLog2 : size != 0))
        {
            return Status.BadArgument;
        }

        Status status = HeldAs(from, ObjectKind.Untyped, CapabilityRights.Use, out int place);
        status = status == Status.Ok ? EmptyFor(to, kind) : status;
        if (status != Status.Ok)
        {
            return status;
        }

        ref ObjectNode untyped = ref Tree[place];
        ulong bytes = 1ul << log2;
        ulong start = (untyped.Object + untyped.Watermark + bytes - 1) & ~(bytes - 1);
        if (start + bytes > untyped.Object + (1ul << untyped.SizeLog2) || untyped.Depth == ObjectTree.MaxDepth)
        {
            return Status.NoMemory;
        }

        untyped.Watermark = start + bytes - untyped.Object;
        _ = Tree.TryPlace(to, out ulong table, out ulong index);
        Tree.Add(new ObjectNode
        {
            Kind = kind,
            Rights = rights,
            Object = start,
            SizeLog2 = log2,
            IsOriginal = true,
            Parent = place,
            Depth = untyped.Depth + 1,
            Table = table,
            Index = index,
        });
        return Status.Ok;
    }

    private void Derive(ulong to, ulong from, CapabilityRights rights, ulong badge)
    {
        int place = Tree.Find(from);
        Status status = !Tree.TryPlace(from, out _, out _) ? Status.BadCapability : Empty(to);
        if (status == Status.Ok)
        {
            status = place == ObjectTree.Nobody ? Status.BadCapability : DeriveTo(to, place, rights, badge);
        }

        Expect(status, SecureCall.Derive, to, from, (ulong)rights, badge);
    }

    private Status DeriveTo(ulong to, int place, CapabilityRights rights, ulong badge)
    {
        ObjectNode source = Tree[place];
        bool isBadged = source.Kind is ObjectKind.Endpoint or ObjectKind.Notification;
        if ((!isBadged && source.Kind != ObjectKind.Frame) || (badge != 0 && (!isBadged || source.Badge != 0)))
        {
            return Status.Denied;
        }

        if (source.Depth == ObjectTree.MaxDepth)
        {
            return Status.BadState;
        }

        _ = Tree.TryPlace(to, out ulong table, out ulong index);
        Tree.Add(new ObjectNode
        {
            Kind = source.Kind,
            Rights = source.Rights & rights,
            Badge = isBadged ? source.Badge | badge : 0,
            Object = source.Object,
            SizeLog2 = source.SizeLog2,
            Parent = place,
            Depth = source.Depth + 1,
            Table = table,
            Index = index,
        });
        return Status.Ok;
    }

    private void Move(ulong to, ulong from)
    {
        int place = Tree.Find(from);
        Status status = place == ObjectTree.Nobody ? Status.BadCapability : Tree[place].IsDeclared ? Status.Denied : EmptyFor(to, Tree[place].Kind);
        if (status == Status.Ok)
        {
            _ = Tree.TryPlace(to, out Tree[place].Table, out Tree[place].Index);
        }

        Expect(status, SecureCall.Move, to, from);
    }

    private void Revoke(ulong name)
    {
        int place = Tree.Find(name);
        if (place != ObjectTree.Nobody)
        {
            Tree.Prune(place);
        }

        Expect(place == ObjectTree.Nobody ? Status.BadCapability : Status.Ok, SecureCall.Revoke, name);
    }

    private void Delete(ulong name)
    {
        int place = Tree.Find(name);
        Status status = place == ObjectTree.Nobody ? Status.BadCapability : Tree[place].IsDeclared ? Status.Denied : Status.Ok;
        if (status == Status.Ok)
        {
            Tree.Remove(place);
        }

        Expect(status, SecureCall.Delete, name);
    }

    /// <summary>What is mapped has its content, nothing if it is new; what is mapped for writing gets another.</summary>
    private void Map(ulong name, ulong where)
    {
        MemoryAccess access = Next(4) switch { 0 => MemoryAccess.None, 1 => MemoryAccess.Read, _ => MemoryAccess.Read | MemoryAccess.Write };
        bool writes = access == (MemoryAccess.Read | MemoryAccess.Write);
        ulong address = where switch { 0 => UserLayout.SharedBase, 1 => UserLayout.PrivateBase + 8, _ => UserLayout.PrivateBase + (where * Page) };
        Status status = HeldAs(name, ObjectKind.Frame, writes ? CapabilityRights.Map | CapabilityRights.Write : CapabilityRights.Map, out int place);
        if (status == Status.Ok)
        {
            status = where < FirstPlace || access == MemoryAccess.None ? Status.BadArgument
                : Tree[place].MappedAt != 0 || Tree.MappedAt(address) != ObjectTree.Nobody ? Status.BadState
                : Status.Ok;
        }

        Expect(status, SecureCall.MapFrame, name, address, (ulong)access);
        if (status != Status.Ok || Difference.IsSome)
        {
            return;
        }

        Tree[place].MappedAt = address;
        Look();
        if (writes)
        {
            ulong content = Next(ulong.MaxValue);
            Tree[Tree.OriginalOf(Tree[place].Object)].Content = content;
            _subject.Store(address, content);
            _subject.Store(address + LastWord, content);
        }
    }

    private void Unmap(ulong name)
    {
        Status status = HeldAs(name, ObjectKind.Frame, CapabilityRights.Map, out int place);
        if (status == Status.Ok)
        {
            Tree[place].MappedAt = 0;
        }

        Expect(status, SecureCall.UnmapFrame, name);
    }

    private void Signal(ulong name)
    {
        Status status = HeldAs(name, ObjectKind.Notification, CapabilityRights.Send, out int place);
        if (status == Status.Ok)
        {
            Tree[Tree.OriginalOf(Tree[place].Object)].Content |= Tree[place].Badge;
        }

        Expect(status, SecureCall.Signal, name);
    }

    /// <summary>Calls that change nothing, or take what is set: what each answers says of which kind the capability is, and with which rights.</summary>
    private void Ask(ulong name)
    {
        Expect(!Tree.TryPlace(name, out _, out _) ? Status.BadArgument : Tree.Find(name) == ObjectTree.Nobody ? Status.BadCapability : Status.BadState, SecureCall.Derive, name, Nothing);
        Expect(Refusal(name, ObjectKind.Untyped, CapabilityRights.Use, Status.NoMemory), SecureCall.Retype, name, (ulong)ObjectKind.Untyped, 40, Nothing, 1);
        Expect(Refusal(name, ObjectKind.Frame, CapabilityRights.Map, Status.BadArgument), SecureCall.MapFrame, name, UserLayout.SharedBase, (ulong)MemoryAccess.Read);
        Expect(Refusal(name, ObjectKind.Endpoint, CapabilityRights.Send, Status.BadArgument), SecureCall.TryCall, name);
        Expect(Refusal(name, ObjectKind.Reply, CapabilityRights.Use, Status.BadState), SecureCall.ReplyDeferred, name);
        Poll(name);
    }

    private readonly Status Refusal(ulong name, ObjectKind kind, CapabilityRights rights, Status whenHeld)
    {
        Status status = HeldAs(name, kind, rights, out _);
        return status == Status.Ok ? whenHeld : status;
    }

    private void Poll(ulong name)
    {
        Status status = HeldAs(name, ObjectKind.Notification, CapabilityRights.Receive, out int place);
        if (status != Status.Ok)
        {
            Expect(status, SecureCall.Poll, name);
            return;
        }

        ref ObjectNode notification = ref Tree[Tree.OriginalOf(Tree[place].Object)];
        ulong bits = notification.Content;
        notification.Content = 0;
        Expect(bits == 0 ? Status.Busy : Status.Ok, SecureCall.Poll, name, 0, 0, 0, 0, bits);
    }

    /// <summary>Each page that is mapped, at both its ends.</summary>
    private void Look()
    {
        for (ulong where = FirstPlace; where < EndOfPlaces && !Difference.IsSome; where++)
        {
            ulong address = UserLayout.PrivateBase + (where * Page);
            int place = Tree.MappedAt(address);
            if (place != ObjectTree.Nobody)
            {
                ulong content = Tree[Tree.OriginalOf(Tree[place].Object)].Content;
                ExpectWord(address, content);
                ExpectWord(address + LastWord, content);
            }
        }
    }

    private void ExpectWord(ulong address, ulong due)
    {
        ulong came = _subject.Load(address);
        if (came != due)
        {
            Difference = new WalkDifference { IsSome = true, X0 = address, CameValue = came, DueValue = due };
        }
    }

    /// <param name="value">x1 of a <see cref="SecureCall.Poll"/>, which alone has one here.</param>
    private void Expect(Status due, SecureCall call, ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, ulong x4 = 0, ulong value = 0)
    {
        if (Difference.IsSome)
        {
            return;
        }

        Status came = _subject.Call(call, x0, x1, x2, x3, x4, out ulong left);
        left = call == SecureCall.Poll && due == Status.Ok ? left : value;
        if (came != due || left != value)
        {
            Difference = new WalkDifference { IsSome = true, Call = call, X0 = x0, X1 = x1, X2 = x2, X3 = x3, Came = came, Due = due, CameValue = left, DueValue = value };
        }
        else if (due == Status.Ok)
        {
            Done++;
        }
        else
        {
            Refused++;
        }
    }

    /// <summary>Below a bound, xorshift64: the same everywhere.</summary>
    private ulong Next(ulong bound)
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        return _random % bound;
    }
}
