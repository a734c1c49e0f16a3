using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

/// <summary>Hundreds of thousands of calls in one life of the monitor, against a plain model of types and counts.</summary>
/// <remarks>
/// Two blocks below the end of the DMA window with a carve-out across them, a whole GiB above, and 200 frames after it; calls name frames of nine of
/// these blocks. After each call what both worlds get at the frames named is what the model says; now and then all tables are compared with
/// it, their shape too, so that no table stands where a block could. Where everything is given back nothing differs from boot.
/// </remarks>
public sealed class LongRun
{
    private const ulong RamBase = DmaWindow.Limit - (2 * Place.Block);
    private const int TailFrames = 200;
    private const int RamFrames = 1024 + (512 * 512) + TailFrames;
    private const ulong CarveOut = RamBase + (300 * Place.Page);
    private const ulong CarveOutFrames = 400;
    private const int CheckEvery = 256;

    private static readonly ulong[] Blocks =
        [RamBase, RamBase + Place.Block, .. new ulong[] { 0, 1, 2, 300, 510, 511 }.Select(i => DmaWindow.Limit + (i * Place.Block)), DmaWindow.Limit + Place.Gigabyte];

    private static readonly FrameType[] Types = Enum.GetValues<FrameType>();
    private static readonly Domain[] Callers = [Domain.Sptm, Domain.Xnu, Domain.Txm, Domain.Sk, (Domain)7];

    private readonly Random _random;
    private readonly FrameEntry[] _entries = new FrameEntry[RamFrames];
    private readonly Stage2<RunMachine> _linux = new(RunMachine.LinuxRoot, Place.Vmid(World.Linux), FrameRules.LinuxAccess(FrameType.XnuDefault));
    private readonly Stage2<RunMachine> _secure = new(RunMachine.SecureRoot, Place.Vmid(World.Secure), FrameRules.SkAccess(FrameType.XnuDefault));
    private readonly Dictionary<ulong, (FrameType Type, int Borrowed, int Named)> _model = [];
    private readonly List<ulong[]> _lists = [];
    private readonly List<ulong> _lent = [];
    private readonly Queue<string> _last = new();
    private readonly ulong _poolBytes;
    private readonly string _boot;
    private TablePool _pool;
    private long _calls;
    private long _refused;

    private LongRun(int seed, int poolPages)
    {
        _random = new Random(seed);
        _poolBytes = (ulong)poolPages * Place.Page;
        _pool = new TablePool(RunMachine.Pool, _poolBytes);
        RunMachine.Reset(poolPages, RamBase, RamFrames);
        Boot();
        _boot = Picture();
    }

    private FrameTable Frames => new(_entries, RamBase);

    /// <param name="poolPages">Pages for tables; with few, calls are refused for lack of them.</param>
    /// <returns>Calls made, and how many of them were refused.</returns>
    public static (long Calls, long Refused) Run(int seed, int steps, int poolPages)
    {
        LongRun run = new(seed, poolPages);
        try
        {
            for (int step = 1; step <= steps; step++)
            {
                run.Step(step);
                if (step % CheckEvery == 0)
                {
                    run.CheckAll();
                }

                if (step % (steps / 16) == 0)
                {
                    run.GiveAllBack();
                }
            }

            run.EndSecureWorld();
        }
        catch (Exception failure) when (failure is ModelViolation or IndexOutOfRangeException)
        {
            throw new ModelViolation($"seed {seed}: {failure.Message}\n  {string.Join("\n  ", run._last)}");
        }

        return (run._calls, run._refused);
    }

    private void Boot()
    {
        const ulong Uart = 0x0900_0000;
        ulong at = CarveOut;
        foreach ((FrameType type, ulong count) in new[] { (FrameType.SptmPageTable, 50ul), (FrameType.SkCode, 50ul), (FrameType.SkConst, 20ul), (FrameType.SkDefault, CarveOutFrames - 120) })
        {
            Require(Frames.Claim(at, count * Place.Page, type), Status.Ok);
            at += count * Place.Page;
        }

        Frames.ClaimRestForLinux();
        ulong run;
        for (ulong address = RamBase; address < RamBase + (RamFrames * Place.Page); address += run)
        {
            run = Frames.RunLength(address, ulong.MaxValue);
            Require(_linux.SetRange(ref _pool, address, run, FrameRules.LinuxAccess(Frames.TypeOf(address)), device: false), Status.Ok);
            Require(_secure.SetRange(ref _pool, address, run, FrameRules.SkAccess(Frames.TypeOf(address)), device: false), Status.Ok);
        }

        Require(_linux.SetRange(ref _pool, Uart, Place.Page, FrameAccess.ReadWrite, device: true), Status.Ok);
        foreach (ulong address in Named())
        {
            _model[address] = (Frames.TypeOf(address), 0, 0);
        }
    }

    /// <summary>Every frame that calls name.</summary>
    private static IEnumerable<ulong> Named() => Blocks.SelectMany(block => Enumerable.Range(0, 512).Select(i => block + ((ulong)i * Place.Page))).Where(IsRam);

    private static bool IsRam(ulong address) => address - RamBase < RamFrames * Place.Page;

    /// <summary>A frame, often at the edge of a block.</summary>
    private ulong Any() => _random.Next(8) == 0
        ? Blocks[_random.Next(Blocks.Length - 1)] + ((ulong)_random.Next(2) * 511 * Place.Page)
        : Blocks[_random.Next(Blocks.Length)] + ((ulong)_random.Next(512) * Place.Page);

    /// <summary>The frames that follow one another from there on, as far as calls name them.</summary>
    private IEnumerable<ulong> Row(ulong first, int count) =>
        Enumerable.Range(0, count).Select(i => first + ((ulong)i * Place.Page)).TakeWhile(frame => !IsRam(frame) || _model.ContainsKey(frame));

    private void Step(int step)
    {
        // Half of the time more is taken than given, then more is given.
        bool grows = step / 2000 % 2 == 0;
        switch (_random.Next(16))
        {
            case 0 or 1 when grows || _lists.Count == 0:
                Register();
                break;
            case 0 or 1 or 2 when _lists.Count != 0:
                Unregister(_random.Next(_lists.Count));
                break;
            case 3 or 4 when grows || _lent.Count == 0:
                Donate();
                break;
            case 3 or 4 or 5 when _lent.Count != 0:
                GiveBack();
                break;
            case 6 or 7 when _lent.Count != 0:
                Publish(_lent[_random.Next(_lent.Count)]);
                break;
            case 8:
                Touch(_lent.Count != 0 ? _lent[_random.Next(_lent.Count)] : Any());
                break;
            case 9:
                Name(Any(), isForget: false);
                break;
            case 10:
                Name(Any(), isForget: true);
                break;
            case 11:
                Hostile();
                break;
            case 12 when step % 4000 < 16:
                Flood(Any());
                break;
            default:
                ulong frame = Any();
                Retype(Domain.Sk, frame, Type(frame), Types[_random.Next(Types.Length)]);
                break;
        }
    }

    private FrameType Type(ulong address) => _model.TryGetValue(address, out var frame) ? frame.Type : FrameType.Unknown;

    /// <summary>A buffer: pages in a row, anywhere, or one page again and again; with one that is refused, all of it goes back.</summary>
    private void Register()
    {
        ulong first = Any();
        int shape = _random.Next(3);
        ulong[] pages = [.. Row(first, 1 + _random.Next(24)).Select(page => shape == 0 ? page : shape == 1 ? Any() : first)];
        int done = 0;
        while (done < pages.Length && Share(pages[done]))
        {
            done++;
        }

        if (done == pages.Length)
        {
            _lists.Add(pages);
            return;
        }

        for (int i = 0; i < done; i++)
        {
            Unshare(pages[i], isDue: true);
        }
    }

    private void Unregister(int index)
    {
        foreach (ulong page in _lists[index])
        {
            Unshare(page, isDue: true);
        }

        _lists[index] = _lists[^1];
        _lists.RemoveAt(_lists.Count - 1);
    }

    private void Donate()
    {
        ulong first = _random.Next(4) == 0 ? Blocks[_random.Next(Blocks.Length)] : Any();
        int count = _random.Next(6) == 0 ? 512 : 1 + _random.Next(40);
        foreach (ulong frame in Row(first, count))
        {
            Retype(Domain.Sk, frame, FrameType.XnuDefault, FrameType.SkDonated);
        }
    }

    /// <summary>One of them and those that follow it, which need not have come with it.</summary>
    private void GiveBack()
    {
        ulong first = _lent[_random.Next(_lent.Count)];
        int count = _random.Next(4) == 0 ? 512 : 1 + _random.Next(40);
        foreach (ulong frame in Row(first, count))
        {
            Retype(Domain.Sk, frame, Type(frame), FrameType.XnuDefault);
        }
    }

    private void Publish(ulong frame) =>
        Retype(Domain.Sk, frame, Type(frame), Type(frame) == FrameType.SkDonated ? FrameType.SkSharedRo : FrameType.SkDonated);

    private void Touch(ulong frame) => Retype(Domain.Sptm, frame, Type(frame), FrameType.XnuDefault);

    private void Hostile()
    {
        ulong[] wrong = [0, Any() + 8, RamBase - Place.Page, RamBase + (RamFrames * Place.Page), 1ul << 40, ulong.MaxValue - 0xFFF];
        ulong address = _random.Next(2) == 0 ? Any() : wrong[_random.Next(wrong.Length)];
        switch (_random.Next(3))
        {
            case 0:
                Retype(Callers[_random.Next(Callers.Length)], address, Types[_random.Next(Types.Length)], Types[_random.Next(Types.Length)]);
                break;
            case 1 when Type(address) != FrameType.SkSharedRw:
                Unshare(address, isDue: false);
                break;
            case 1 or 2 when Type(address) is not (FrameType.XnuDefault or FrameType.SkSharedRw):
                _ = Share(address);
                break;
            default:
                break;
        }
    }

    /// <summary>A count goes to its end and no further, and comes back.</summary>
    private void Flood(ulong frame)
    {
        int count = 0;
        while (Share(frame))
        {
            count++;
        }

        for (; count > 0; count--)
        {
            Unshare(frame, isDue: true);
        }
    }

    private bool Share(ulong address)
    {
        Begin("share", address);
        var (type, borrowed, named) = _model.GetValueOrDefault(address);
        bool isShort = _pool.FreeBytes < 2 * Place.Page;
        Status expected = type is not (FrameType.XnuDefault or FrameType.SkSharedRw) ? Status.Denied : borrowed == ushort.MaxValue ? Status.Busy : Status.Ok;
        Status status = Sharing.Share(Frames, _secure, ref _pool, address);
        if (status == Status.NoMemory && isShort && expected == Status.Ok && borrowed == 0)
        {
            expected = status;
        }

        if (expected == Status.Ok)
        {
            _model[address] = (FrameType.SkSharedRw, borrowed + 1, named);
        }

        End(address, status, expected);
        return status == Status.Ok;
    }

    private void Unshare(ulong address, bool isDue)
    {
        Begin("unshare", address);
        Status status = Sharing.Unshare(Frames, _secure, ref _pool, address);
        if (isDue)
        {
            var (_, borrowed, named) = _model[address];
            _model[address] = (borrowed == 1 ? FrameType.XnuDefault : FrameType.SkSharedRw, borrowed - 1, named);
        }

        End(address, status, isDue ? Status.Ok : Status.Denied);
    }

    private void Retype(Domain caller, ulong address, FrameType from, FrameType to)
    {
        // With few tables: what is donated has to leave the reserve that giving it back wants, which the monitor's pool always has.
        if (from == FrameType.XnuDefault && to == FrameType.SkDonated && _pool.FreeBytes / Place.Page is >= 4 and < 8)
        {
            return;
        }

        Begin($"{caller} {from} to {to}", address);
        bool isFrame = (address & (Place.Page - 1)) == 0 && IsRam(address);
        var (type, borrowed, named) = _model.GetValueOrDefault(address);
        Status expected = !isFrame ? Status.BadAddress
            : !Specification.IsLegal(caller, from, to) ? Status.BadArgument
            : type != from || (from == FrameType.XnuDefault && address < DmaWindow.Limit) ? Status.Denied
            : borrowed != 0 || named != 0 || _pool.FreeBytes < 4 * Place.Page ? Status.Busy
            : Status.Ok;
        ulong secret = 0;
        if (isFrame)
        {
            secret = RunMachine.Content(address) = (ulong)_random.NextInt64() | 1;
        }

        Status status = Sptm.Retype.Apply(caller, Frames, _linux, _secure, ref _pool, address, from, to);
        if (expected == Status.Ok)
        {
            _model[address] = (to, 0, 0);
            _ = Specification.IsLent(from) || !Specification.IsLent(to) || Add(address);
            _ = !Specification.IsLent(from) || Specification.IsLent(to) || _lent.Remove(address);
        }

        if (isFrame && RunMachine.Content(address) != (expected == Status.Ok ? 0 : secret))
        {
            throw new ModelViolation($"{address:x}: {status}, and it holds {RunMachine.Content(address):x}");
        }

        End(address, status, expected);
    }

    private bool Add(ulong address)
    {
        _lent.Add(address);
        return true;
    }

    private void Name(ulong address, bool isForget)
    {
        if (!_model.TryGetValue(address, out var frame))
        {
            return;
        }

        Begin(isForget ? "forget" : "name", address);
        Status expected = frame.Type is not (FrameType.XnuDefault or FrameType.SkSharedRw) || (isForget && frame.Named == 0) ? Status.Denied
            : !isForget && frame.Named == byte.MaxValue ? Status.Busy
            : Status.Ok;
        Status status = FrameRules.Apply(ref Frames.Entry(address), isForget ? FrameOperation.ForgetArgument : FrameOperation.NameArgument);
        if (expected == Status.Ok)
        {
            _model[address] = frame with { Named = frame.Named + (isForget ? -1 : 1) };
        }

        End(address, status, expected);
    }

    private void GiveAllBack()
    {
        while (_lists.Count != 0)
        {
            Unregister(_lists.Count - 1);
        }

        foreach (ulong address in Named())
        {
            while (_model[address].Named != 0)
            {
                Name(address, isForget: true);
            }
        }

        while (_lent.Count != 0)
        {
            ulong frame = _lent[_random.Next(_lent.Count)];
            Retype(_random.Next(2) == 0 ? Domain.Sk : Domain.Sptm, frame, Type(frame), FrameType.XnuDefault);
        }

        CheckAll();
        string now = Picture();
        if (now != _boot)
        {
            throw new ModelViolation($"everything was given back, and yet it is not as at boot:\n{now}\nwas\n{_boot}");
        }
    }

    /// <summary>SK loses all at once, Linux takes what it lent by touching it: tables of the secure world are gone, Linux's are as at boot.</summary>
    private void EndSecureWorld()
    {
        Donate();
        Require(_secure.SetRange(ref _pool, 0, 1ul << 40, FrameAccess.None, device: false), Status.Ok);
        while (_lent.Count != 0)
        {
            ulong frame = _lent[^1];
            if (Sptm.Retype.Apply(Domain.Sptm, Frames, _linux, _secure, ref _pool, frame, Type(frame), FrameType.XnuDefault) != Status.Ok)
            {
                throw new ModelViolation($"{frame:x} does not come back after the end of the secure world");
            }

            _model[frame] = (FrameType.XnuDefault, 0, 0);
            _lent.RemoveAt(_lent.Count - 1);
        }

        ulong tables = CheckTable(World.Linux, RunMachine.LinuxRoot, 1, 0);
        for (ulong i = 0; i < 1024; i++)
        {
            tables += RunMachine.ReadEntry(RunMachine.SecureRoot + (i * 8));
        }

        CheckPool(tables);
    }

    private void Begin(string what, ulong address)
    {
        _calls++;
        _last.Enqueue($"{what} {address:x}");
        _ = _last.Count > 12 && _last.TryDequeue(out _);
        RunMachine.Watched.Clear();
        ulong page = address & ~(Place.Page - 1);
        if (IsRam(page))
        {
            RunMachine.Watched.AddRange([page, page ^ Place.Page, page ^ (Place.Block / 2), Any()]);
        }

        foreach (ulong watched in RunMachine.Watched)
        {
            _ = RunMachine.Fetch(World.Linux, watched);
            _ = RunMachine.Fetch(World.Secure, watched);
        }
    }

    private void End(ulong address, Status status, Status expected)
    {
        _refused += status == Status.Ok ? 0 : 1;
        Require(status, expected);
        foreach (ulong frame in RunMachine.Watched)
        {
            CheckFrame(frame);
        }
    }

    private static void Require(Status status, Status expected)
    {
        if (status != expected)
        {
            throw new ModelViolation($"{status} where {expected} is right");
        }
    }

    /// <summary>What both worlds get there, by a TLB that keeps everything, and what the monitor's frame table says.</summary>
    private void CheckFrame(ulong address)
    {
        if (!_model.TryGetValue(address, out var frame))
        {
            return;
        }

        FrameEntry entry = Frames.Entry(address);
        if (entry.Type != frame.Type || entry.BorrowCount != frame.Borrowed || entry.ArgumentCount != frame.Named)
        {
            throw new ModelViolation($"{address:x} is {entry.Type}, {entry.BorrowCount}, {entry.ArgumentCount}, and should be {frame}");
        }

        for (World world = World.Linux; world <= World.Secure; world++)
        {
            FrameAccess access = RunMachine.Fetch(world, address);
            if (access != Specification.Allowed(world, frame.Type))
            {
                throw new ModelViolation($"{world} has {access} to {address:x}, which is {frame.Type}");
            }
        }
    }

    private void CheckAll()
    {
        foreach (ulong address in _model.Keys)
        {
            CheckFrame(address);
        }

        CheckPool(CheckTable(World.Linux, RunMachine.LinuxRoot, 1, 0) + CheckTable(World.Secure, RunMachine.SecureRoot, 1, 0));
    }

    private void CheckPool(ulong tables)
    {
        if ((tables * Place.Page) + _pool.FreeBytes != _poolBytes)
        {
            throw new ModelViolation($"{tables} tables are in use and {_pool.FreeBytes / Place.Page} free, of {_poolBytes / Place.Page}");
        }
    }

    /// <summary>Leaves say what the types say, tables count right, and stand only where a block cannot. Answers how many there are below this one.</summary>
    private ulong CheckTable(World world, ulong table, int level, ulong start)
    {
        ulong tables = 0;
        int deviations = 0;
        for (ulong i = 0; i < (level == 1 ? 1024ul : 512); i++)
        {
            ulong address = start + (i * Place.Reach(level));
            ulong descriptor = RunMachine.ReadEntry(table + (i * 8));
            FrameAccess home = Specification.Allowed(world, FrameType.XnuDefault);
            if (RunMachine.IsTable(descriptor, level))
            {
                deviations++;
                tables += 1 + CheckTable(world, descriptor & Stage2Descriptor.AddressMask, level + 1, address);
                continue;
            }

            FrameAccess access = (descriptor & 1) == 0 ? FrameAccess.None : Specification.AccessOf(descriptor);
            bool isMemory = (descriptor & 0x3C) == 0x3C || access == FrameAccess.None;
            deviations += access == home && isMemory ? 0 : 1;
            bool isRight = IsRam(address) ? isMemory && Covered(address, level).All(type => Specification.Allowed(world, type) == access) : access == FrameAccess.None || !isMemory;
            if (!isRight || (access != FrameAccess.None && (descriptor & Stage2Descriptor.AddressMask) != address))
            {
                throw new ModelViolation($"{world} has {descriptor:x} for {address:x} at level {level}");
            }
        }

        if (level > 1 && (deviations == 0 || deviations != RunMachine.Deviations(table)))
        {
            throw new ModelViolation($"{world}'s table of level {level} for {start:x} has {deviations} entries of its own and counts {RunMachine.Deviations(table)}");
        }

        return tables;
    }

    /// <summary>Types of the frames that a leaf translates, each once or more; those that no call names are Linux's, and beyond RAM there are none.</summary>
    private IEnumerable<FrameType> Covered(ulong address, int level)
    {
        ulong end = address + Place.Reach(level);
        foreach (ulong block in Blocks.Where(block => block < end && block + Place.Block > address))
        {
            for (ulong frame = Math.Max(block, address); frame < Math.Min(end, block + Place.Block); frame += Place.Page)
            {
                yield return Type(frame);
            }
        }

        if (!IsRam(end - Place.Page))
        {
            yield return FrameType.Unknown;
        }
        else if (level == 1 || !Blocks.Contains(Place.Base(address, 2)))
        {
            yield return FrameType.XnuDefault;
        }
    }

    /// <summary>All that boot left: types, counts, tables by what they say and not by where they lie, free pages.</summary>
    private string Picture()
    {
        List<string> lines = [$"{_pool.FreeBytes / Place.Page} pages"];
        Draw(RunMachine.LinuxRoot, 1, 0, lines);
        Draw(RunMachine.SecureRoot, 1, 0, lines);
        FrameEntry before = default;
        for (int i = 0; i < RamFrames; i++)
        {
            if (i == 0 || _entries[i].Type != before.Type || _entries[i].BorrowCount != before.BorrowCount || _entries[i].ArgumentCount != before.ArgumentCount)
            {
                before = _entries[i];
                lines.Add($"{i}: {before.Type}, {before.BorrowCount}, {before.ArgumentCount}");
            }
        }

        return string.Join("\n", lines);
    }

    private static void Draw(ulong table, int level, ulong start, List<string> lines)
    {
        for (ulong i = 0; i < (level == 1 ? 1024ul : 512); i++)
        {
            ulong descriptor = RunMachine.ReadEntry(table + (i * 8));
            ulong address = start + (i * Place.Reach(level));
            if (RunMachine.IsTable(descriptor, level))
            {
                ulong next = descriptor & Stage2Descriptor.AddressMask;
                lines.Add($"{address:x} table, {RunMachine.Deviations(next)}");
                Draw(next, level + 1, address, lines);
            }
            else if (descriptor != 0)
            {
                lines.Add($"{address:x} {descriptor:x}");
            }
        }
    }
}
