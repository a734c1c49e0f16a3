using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Calls of a hostile kernel past Linux's own driver: wrong functions, cookies, page lists, messages, sessions, firmware calls.</summary>
internal sealed class CallAttacks
{
    private const ulong BeyondMemory = 0x000F_FFFF_F000;

    private readonly Trial _trial;
    private readonly AttackDevice _device;
    private readonly RawDriver _driver;

    private CallAttacks(Trial trial)
    {
        _trial = trial;
        _device = trial.Field.Device;
        _driver = trial.Field.Driver;
    }

    /// <summary>Frames that Linux must never get the secure world to use as its own.</summary>
    private static (string Name, ulong Address)[] SecureFrames =>
    [
        ("sptm", Virt.SptmBase),
        ("sk", Virt.SkBase),
        ("image", Virt.ImageHeaderBase),
    ];

    /// <summary>Addresses that are no frame of RAM.</summary>
    private static (string Name, ulong Address)[] NoFrames =>
    [
        ("device.entropy", Virt.EntropyDevice),
        ("uart", Virt.Uart),
        ("gic", Virt.GicDistributor),
        ("beyond", BeyondMemory),
    ];

    private static (string Name, ulong Address)[] Forbidden => [.. SecureFrames, .. NoFrames];

    public static void AddTo(Suite suite)
    {
        suite.Add("call.unknown", trial => new CallAttacks(trial).UnknownFunctions());
        suite.Add("call.argument.secure", trial => new CallAttacks(trial).SecureArguments());
        suite.Add("call.argument.unaligned", trial => new CallAttacks(trial).UnalignedArguments());
        suite.Add("call.cookie", trial => new CallAttacks(trial).WrongCookies());
        suite.Add("call.share.secure", trial => new CallAttacks(trial).ShareSecureFrames());
        suite.Add("call.share.nowhere", trial => new CallAttacks(trial).ShareNoFrames());
        suite.Add("call.share.count", trial => new CallAttacks(trial).ShareManyTimes());
        suite.Add("call.share.long", trial => new CallAttacks(trial).ShareForLong());
        suite.Add("call.list.secure", trial => new CallAttacks(trial).ListsInSecureFrames());
        suite.Add("call.list.shape", trial => new CallAttacks(trial).ListShapes());
        suite.Add("call.unregister", trial => new CallAttacks(trial).Unregister());
        suite.Add("call.message.parameters", trial => new CallAttacks(trial).MessageParameters());
        suite.Add("call.message.attribute", trial => new CallAttacks(trial).MessageAttributes());
        suite.Add("call.message.memory", trial => new CallAttacks(trial).MessageMemory());
        suite.Add("call.message.physical", trial => new CallAttacks(trial).MessagePhysical());
        suite.Add("call.session", trial => new CallAttacks(trial).Sessions());
        suite.Add("call.session.flood", trial => new CallAttacks(trial).SessionFlood());
        suite.Add("psci.closed", trial => new CallAttacks(trial).PowerCalls());
        suite.Add("psci.entry", trial => new CallAttacks(trial).PowerEntries());
        TokenAttacks.AddTo(suite);
    }

    private Meter Malformed => _trial.Field.Of(ProxyCounter.Malformed);

    private Meter RefusedCall => _trial.Field.Of(SptmCounter.RefusedCall);

    private void UnknownFunctions()
    {
        foreach (ulong function in (ReadOnlySpan<ulong>)[0x3200_00FF, 0xB200_00FE, 0xBF00_FFFE, 0xC200_0000, 0x0200_0000, 0x8400_0050, 0xFFFF_FFFF])
        {
            _trial.Try($"0x{function:x8}", RefusedCall, () => Unknown(_device.Call(function, 1, 2, 3)));
        }

        _trial.Try("CALL_WITH_ARG", RefusedCall, () => Unknown(_device.Call(Tee.CallWithArg, 0, _driver.PrivatePage.Address, 0)));
        _trial.Try("counter 2^64 - 1", RefusedCall, () => Unknown(_device.Call(Tee.ExclavesCounter, ulong.MaxValue)));
        _trial.Permit("CALLS_REVISION", () => Loot(_device.Call(Tee.CallsRevision).X0 == 2, "no revision"));
    }

    // The page of CALL_WITH_RPC_ARG is read and written by SPTM: it must be Linux's own, whole and aligned.
    private void SecureArguments()
    {
        foreach ((string name, ulong address) in Forbidden)
        {
            _trial.Try(name, RefusedCall, () => Refused(_driver.ToEnd(_device.Call(Tee.CallWithRpcArg, address >> 32, (uint)address, 0))));
        }

        PermitRegistration();
    }

    private void UnalignedArguments()
    {
        ulong page = _driver.PrivatePage.Address;
        foreach (ulong offset in (ReadOnlySpan<ulong>)[1, 8, 0xFF8])
        {
            RawDriver.Begin(_driver.PrivatePage, RawDriver.CommandUnregister, 1);
            _trial.Try($"+{offset}", RefusedCall, () => Refused(_driver.ToEnd(_device.Call(Tee.CallWithRpcArg, page >> 32, (uint)(page + offset), 0))));
        }

        PermitRegistration();
    }

    private void WrongCookies()
    {
        ulong good = _driver.MessageCookie;
        (string Name, ulong High, ulong Low, ulong Offset)[] calls =
        [
            ("cookie nobody has", 0x1234, 0x5678, 0),
            ("cookie zero", 0, 0, 0),
            ("cookie + 1", good >> 32, (uint)good + 1, 0),
            ("offset at the end", good >> 32, (uint)good, 4096),
            ("offset over the end", good >> 32, (uint)good, 4096 - 16),
            ("offset unaligned", good >> 32, (uint)good, 3),
            ("offset negative", good >> 32, (uint)good, ulong.MaxValue - 7),
        ];
        foreach ((string name, ulong high, ulong low, ulong offset) in calls)
        {
            _driver.PrepareInvoke(_driver.MessagePage, 1, 0, 0);
            _trial.Try(name, Malformed, () => Refused(_driver.ToEnd(_device.Call(Tee.CallWithRegdArg, high, low, offset))));
        }

        _trial.Permit("own cookie", () => Loot(_driver.Open(ServiceName.Hello, out uint session) == Tee.Success && _driver.Close(session) == Tee.Success, "refused"));
    }

    private void ShareSecureFrames()
    {
        ulong own = _trial.Field.OwnPage.Address;
        foreach ((string name, ulong address) in SecureFrames)
        {
            _trial.Try(name, _trial.Field.Of(SptmCounter.RefusedShare), () => Refused(_driver.RegisterPages(_driver.NewCookie(), [own, address, own])));
        }

        PermitRegistration();
    }

    private void ShareNoFrames()
    {
        ulong own = _trial.Field.OwnPage.Address;
        (string Name, ulong Address)[] entries = [.. NoFrames, ("unaligned", own + 8), ("zero", 0), ("all ones", ulong.MaxValue)];
        foreach ((string name, ulong address) in entries)
        {
            _trial.Try(name, Malformed, () => Refused(_driver.RegisterPages(_driver.NewCookie(), [own, address, own])));
        }

        PermitRegistration();
    }

    // The frame's count of borrowers has 16 bits: were it to wrap, the frame would go back to Linux while the secure world still has it.
    // XnuProxy's window is full before that, which SK's count of mappings shows; while it is, one frame is shared, and no more.
    private void ShareManyTimes()
    {
        ulong own = _trial.Field.OwnPage.Address;
        ulong[] pages = [.. Enumerable.Repeat(own, 511)];
        List<ulong> cookies = [];
        long before = SharedFrames();
        _trial.Try("511 at a time", _trial.Field.Of(SkCounter.SharedMappings), () =>
        {
            ulong cookie = 0;
            uint result = Tee.Success;
            while (result == Tee.Success && cookies.Count < 200)
            {
                cookie = _driver.NewCookie();
                result = _driver.RegisterPages(cookie, pages);
                if (result == Tee.Success)
                {
                    cookies.Add(cookie);
                }
            }

            string words = $"{cookies.Count * 511} borrowings, then 0x{result:x8}; {SharedFrames() - before} frame more is shared";
            return SharedFrames() - before == 1 ? Attempt.Of(result != Tee.Success, words) : Attempt.Succeeded(words);
        });
        _trial.Permit("giving all of them back", () =>
        {
            uint undone = cookies.Aggregate(Tee.Success, (all, cookie) => all | _driver.Unregister(cookie));
            return Loot(undone == Tee.Success && SharedFrames() == before, $"0x{undone:x8}, {SharedFrames() - before} frames left");
        });
        PermitRegistration();
    }

    // The same few pages in lists that overlap, under cookies of every kind, some of them live already: everything comes back.
    private void ShareForLong()
    {
        const int Rounds = 3000;
        int seed = Random.Shared.Next();
        Random random = new(seed);
        ulong[] pages = [.. Enumerable.Range(0, 24).Select(_ => _trial.Field.Device.NewPage().Address)];
        ulong[] cookies = [0, 1, ulong.MaxValue, 1ul << 63, 0xFFFF_0000_0000_0000, .. Enumerable.Range(0, 27).Select(_ => _driver.NewCookie())];
        HashSet<ulong> live = [];
        SystemCounters before = _trial.Field.Counters();
        int registered = 0;
        int wrong = 0;
        _trial.Try($"{Rounds} rounds, seed {seed}", Malformed, () =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                ulong cookie = cookies[random.Next(cookies.Length)];
                if (random.Next(3) == 0)
                {
                    wrong += _driver.Unregister(cookie) == Tee.Success == live.Remove(cookie) ? 0 : 1;
                    continue;
                }

                ulong[] list = [.. Enumerable.Range(0, 1 + random.Next(40)).Select(_ => pages[random.Next(pages.Length)])];
                bool spoiled = random.Next(8) == 0;
                list[^1] = spoiled ? Virt.SkBase : list[^1];
                ulong offset = (ulong)random.Next(4096);
                uint result = _driver.RegisterPages(cookie, list, offset);
                wrong += result == Tee.Success != spoiled ? 0 : 1;
                registered += result == Tee.Success ? 1 : 0;
                _ = spoiled ? live.Remove(cookie) : live.Add(cookie);
            }

            return Attempt.Of(wrong == 0, $"{registered} registered, {wrong} answers of {Rounds} wrong");
        });
        _trial.Permit("all of it comes back", () =>
        {
            foreach (ulong cookie in live)
            {
                wrong += _driver.Unregister(cookie) == Tee.Success ? 0 : 1;
            }

            SystemCounters after = _trial.Field.Counters();
            string words = $"shared frames {before[SptmCounter.SharedFrames]} and {after[SptmCounter.SharedFrames]}, mappings {before[SkCounter.SharedMappings]} and "
                + $"{after[SkCounter.SharedMappings]}, frames in use {before[SkCounter.FramesInUse]} and {after[SkCounter.FramesInUse]}; {wrong} wrong";
            bool same = before[SptmCounter.SharedFrames] == after[SptmCounter.SharedFrames] && before[SkCounter.SharedMappings] == after[SkCounter.SharedMappings]
                && before[SkCounter.FramesInUse] == after[SkCounter.FramesInUse];
            return Loot(same && wrong == 0, words);
        });
    }

    private void ListsInSecureFrames()
    {
        foreach ((string name, ulong address) in Forbidden)
        {
            _trial.Try(name, Malformed, () => Refused(_driver.Register(address, 4096, _driver.NewCookie())));
        }

        PermitRegistration();
    }

    private void ListShapes()
    {
        ulong own = _trial.Field.OwnPage.Address;
        ulong list = _driver.ListPage.Address;

        // A list that names itself as its next page: 511 entries, then round again.
        Span<byte> entries = _driver.ListPage.Bytes;
        for (int i = 0; i < 511; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(entries[(i * sizeof(ulong))..], own);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(entries[(511 * sizeof(ulong))..], list);
        (string Name, ulong List, ulong Bytes, ulong Attributes, uint Parameters)[] shapes =
        [
            ("loop of 2^40 bytes", list, 1UL << 40, RawDriver.AttributePageList, 1),
            ("2^64 - 1 bytes", list, ulong.MaxValue, RawDriver.AttributePageList, 1),
            ("wraps with its offset", list | 0xFFF, ulong.MaxValue - 0xFFE, RawDriver.AttributePageList, 1),
            ("zero bytes", list, 0, RawDriver.AttributePageList, 1),
            ("not a page list", list, 4096, 0x00A, 1),
            ("a value", list, 4096, 1, 1),
            ("no parameter", list, 4096, RawDriver.AttributePageList, 0),
            ("2^32 - 1 parameters", list, 4096, RawDriver.AttributePageList, uint.MaxValue),
        ];
        foreach ((string name, ulong at, ulong bytes, ulong attributes, uint parameters) in shapes)
        {
            _trial.Try(name, Malformed, () => Refused(_driver.Register(at, bytes, _driver.NewCookie(), attributes, parameters)));
        }

        PermitRegistration();
    }

    private void Unregister()
    {
        ulong own = _trial.Field.OwnPage.Address;
        ulong first = _driver.NewCookie();
        ulong second = _driver.NewCookie();
        long before = SharedFrames();
        _trial.Try("cookie nobody has", Malformed, () => Refused(_driver.Unregister(_driver.NewCookie())));

        // One page under two cookies, and twice in one list, is what real clients do.
        _trial.Permit("same page thrice", () =>
        {
            uint twice = _driver.RegisterPages(first, [own, own]) | _driver.RegisterPages(second, [own]);
            long lent = SharedFrames() - before;
            uint undone = _driver.Unregister(first) | _driver.Unregister(second);
            return Loot(twice == 0 && undone == 0 && lent == 1 && SharedFrames() == before, $"0x{twice:x8}, 0x{undone:x8}, {lent} frames lent, {SharedFrames() - before} left");
        });
        _trial.Try("given back already", Malformed, () => Refused(_driver.Unregister(first)));
        if (SharedFrames() != before)
        {
            _trial.Fail($"{SharedFrames() - before} frames more are borrowed than before");
        }
    }

    private void MessageParameters()
    {
        using Session session = new(_driver);
        foreach (uint count in (ReadOnlySpan<uint>)[7, 127, 128, 0x0800_0000, uint.MaxValue])
        {
            _trial.Try($"{count}", Malformed, () =>
            {
                _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Null, count);
                return Refused(_driver.SendRegistered());
            });
        }

        // Room for six, of which a service sees four: what is beyond must be empty (GlobalPlatform's limit).
        _trial.Try("5, the last a value", Malformed, () =>
        {
            _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Null, 5);
            RawDriver.Parameter(_driver.MessagePage, 4, 1, 1, 2, 3);
            return Refused(_driver.SendRegistered());
        });
        _trial.Permit("5, empty", () =>
        {
            _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Null, 5);
            return Loot(_driver.SendRegistered() == Tee.Success, "refused");
        });
    }

    private void MessageAttributes()
    {
        using Session session = new(_driver);
        foreach (ulong attributes in (ReadOnlySpan<ulong>)[4, 8, 0xC, 0xFF, 0x20A, 0x301, 1UL << 63])
        {
            _trial.Try($"0x{attributes:x}", Malformed, () => Refused(Echo(session, attributes)));
        }

        foreach (uint command in (ReadOnlySpan<uint>)[8, 0x7FFF_FFFF, uint.MaxValue])
        {
            _trial.Try($"command {command}", Malformed, () =>
            {
                RawDriver.Begin(_driver.MessagePage, command, 0);
                return Refused(_driver.SendRegistered());
            });
        }

        _trial.Permit("value", () => Loot(Echo(session, RawDriver.AttributeValueIn) == Tee.Success, "refused"));
    }

    private uint Echo(Session session, ulong attributes)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Echo, 2);
        RawDriver.Parameter(_driver.MessagePage, 0, attributes, 1, 2, 3);
        RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeValueOut, 0, 0, 0);
        return _driver.SendRegistered();
    }

    private void MessageMemory()
    {
        using Session session = new(_driver);
        (string Name, ulong Offset, ulong Bytes, ulong Cookie)[] memory =
        [
            ("cookie nobody has", 0, 64, 0x5555_5555),
            ("past its end", 4096, 64, _driver.MessageCookie),
            ("across its end", 4064, 64, _driver.MessageCookie),
            ("offset wraps", ulong.MaxValue - 31, 64, _driver.MessageCookie),
            ("size wraps", 64, ulong.MaxValue - 31, _driver.MessageCookie),
        ];
        foreach ((string name, ulong offset, ulong bytes, ulong cookie) in memory)
        {
            _trial.Try(name, Malformed, () => Refused(Transform(session, RawDriver.AttributeMemoryIn, offset, bytes, cookie)));
        }

        _trial.Permit("inside", () => Loot(Transform(session, RawDriver.AttributeMemoryIn, 1024, 64, _driver.MessageCookie) == Tee.Success, "refused"));
    }

    // A memory reference by physical address is for NULL alone.
    private void MessagePhysical()
    {
        using Session session = new(_driver);
        foreach ((string name, ulong address) in Forbidden)
        {
            _trial.Try(name, Malformed, () => Refused(Transform(session, 9, address, 64, 0)));
        }

        _trial.Permit("by cookie", () => Loot(Transform(session, RawDriver.AttributeMemoryIn, 1024, 64, _driver.MessageCookie) == Tee.Success, "refused"));
    }

    private uint Transform(Session session, ulong attributes, ulong first, ulong bytes, ulong cookie)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Transform, 2);
        RawDriver.Parameter(_driver.MessagePage, 0, attributes, first, bytes, cookie);
        RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeMemoryOut, 2048, 64, _driver.MessageCookie);
        return _driver.SendRegistered();
    }

    private void Sessions()
    {
        uint closed;
        using (Session session = new(_driver))
        {
            closed = session.Number;
            _trial.Permit("open session", () => Loot(Null(session.Number) == Tee.Success, "refused"));
        }

        foreach (uint number in (ReadOnlySpan<uint>)[0, closed + 0x1000, uint.MaxValue])
        {
            _trial.Try($"call 0x{number:x}", Malformed, () => Refused(Null(number)));
            _trial.Try($"close 0x{number:x}", Malformed, () => Refused(_driver.Close(number)));
        }

        _trial.Try("call of a closed one", Malformed, () => Refused(Null(closed)));
        _trial.Try("close of a closed one", Malformed, () => Refused(_driver.Close(closed)));
    }

    // Sessions until the table is full: a clear refusal, and everything works again after they are closed.
    private void SessionFlood()
    {
        List<uint> sessions = [];
        ulong before = _trial.Field.Counters()[ProxyCounter.Sessions];
        _trial.Try("Hello", new Meter("XnuProxy Sessions", () => (ulong)sessions.Count), () =>
        {
            uint result = 0;
            while (sessions.Count < 100_000 && (result = _driver.Open(ServiceName.Hello, out uint session)) == Tee.Success)
            {
                sessions.Add(session);
            }

            string words = $"{sessions.Count} opened, then 0x{result:x8}";
            return result is Tee.ErrorOutOfMemory or Tee.ErrorBusy ? Attempt.Stopped(words) : Attempt.Neither(words);
        });
        _trial.Permit("afterwards", () =>
        {
            int left = sessions.Count(session => _driver.Close(session) != Tee.Success);
            ulong now = _trial.Field.Counters()[ProxyCounter.Sessions];
            using Session last = new(_driver);
            return Loot(left == 0 && now == before && Null(last.Number) == Tee.Success, $"{left} not closed, {now} sessions instead of {before}");
        });
    }

    // PSCI as Linux calls it. Power calls outside the allow-list are refused; a CPU never starts in secure memory.
    private void PowerCalls()
    {
        const ulong NotSupported = 0xFFFF_FFFF;
        (string Name, ulong Function)[] closed =
        [
            ("CPU_FREEZE", 0x8400_000B),
            ("CPU_DEFAULT_SUSPEND", 0xC400_000C),
            ("NODE_HW_STATE", 0xC400_000D),
            ("SYSTEM_SUSPEND", 0xC400_000E),
            ("SET_SUSPEND_MODE", 0x8400_000F),
            ("STAT_RESIDENCY", 0xC400_0010),
            ("SYSTEM_RESET2", 0xC400_0012),
            ("MEM_PROTECT", 0x8400_0013),
            ("MEM_PROTECT_CHECK_RANGE", 0xC400_0014),
            ("MIGRATE", 0xC400_0005),
            ("MIGRATE_INFO_UP_CPU", 0xC400_0007),
            ("unknown", 0xC400_00FF),
        ];
        foreach ((string name, ulong function) in closed)
        {
            _trial.Try(name, RefusedCall, () =>
            {
                CallResult answer = _device.CallFirmware(function, 0, 0, 0);
                return Attempt.Of((uint)answer.X0 == NotSupported, Words(answer));
            });
        }

        _trial.Permit("PSCI_VERSION", () => Loot(_device.CallFirmware(0x8400_0000).X0 >= 0x1_0000, "no version"));
    }

    private void PowerEntries()
    {
        const ulong CpuOn = 0xC400_0003;
        const uint AlreadyOn = unchecked((uint)-4);
        foreach ((string name, ulong entry) in Forbidden)
        {
            foreach (ulong cpu in (ReadOnlySpan<ulong>)[0, 1])
            {
                _trial.Try($"{name}, cpu {cpu}", RefusedCall, () => NegativeAnswer(_device.CallFirmware(CpuOn, cpu, entry, 0), AlreadyOn));
            }
        }

        _trial.Try("cpu 7", RefusedCall, () => NegativeAnswer(_device.CallFirmware(CpuOn, 7, _trial.Field.OwnPage.Address, 0), AlreadyOn));
        _trial.Try("upper half set", RefusedCall, () => NegativeAnswer(_device.CallFirmware(0xDEAD_BEEF_0000_0000 | CpuOn, 0, Virt.SptmBase, 0), AlreadyOn));
        _trial.Permit("own entry, cpu 0", () =>
        {
            CallResult answer = _device.CallFirmware(CpuOn, 0, _trial.Field.OwnPage.Address, 0);
            return Loot((uint)answer.X0 == AlreadyOn, Words(answer));
        });
    }

    // ALREADY_ON would mean that the entry was accepted.
    private static Attempt NegativeAnswer(CallResult answer, uint accepted) =>
        (int)answer.X0 >= 0 ? Attempt.Succeeded(Words(answer))
        : (uint)answer.X0 == accepted ? Attempt.Neither($"the entry was accepted: {Words(answer)}")
        : Attempt.Stopped(Words(answer));

    private uint Null(uint session)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, 0);
        return _driver.SendRegistered();
    }

    private long SharedFrames() => (long)(_device.Counter(SptmCounter.SharedFrames) ?? 0);

    private void PermitRegistration() => _trial.Permit("own pages", () =>
    {
        ulong own = _trial.Field.OwnPage.Address;
        ulong cookie = _driver.NewCookie();
        uint registered = _driver.RegisterPages(cookie, [own, own, own]);
        uint undone = _driver.Unregister(cookie);
        return Loot(registered == Tee.Success && undone == Tee.Success, $"0x{registered:x8}, 0x{undone:x8}");
    });

    private static Attempt Loot(bool succeeded, string otherwise) => succeeded ? Attempt.Succeeded("") : Attempt.Neither(otherwise);

    private static Attempt Unknown(CallResult answer) => Attempt.Of((uint)answer.X0 == Tee.ReturnUnknown, Words(answer));

    private static Attempt Refused(CallResult answer) => Attempt.Of(answer.X0 != Tee.ReturnOk, Words(answer));

    private static Attempt Refused(uint result) =>
        result == RawDriver.NoAnswer ? Attempt.Neither("no answer") : Attempt.Of(result != Tee.Success, $"0x{result:x8}");

    private static string Words(CallResult answer) => $"x0 = 0x{answer.X0:x}";
}
