using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Calls of a hostile kernel: forged tokens, wrong cookies, page lists at the secure world, firmware calls. None may harm.</summary>
internal sealed class DriverAttacks
{
    private const ulong BeyondMemory = 0x000F_FFFF_F000;
    private const ulong InterruptController = Virt.GicDistributor;
    private const ulong LongSpin = 30_000_000;

    private readonly AttackDevice _device;
    private readonly RawDriver _driver;
    private readonly Report _report;

    public DriverAttacks(AttackDevice device, Report report)
    {
        _device = device;
        _driver = new RawDriver(device);
        _report = report;
    }

    /// <summary>Addresses that Linux must never get the secure world to use as its own.</summary>
    private static (string Name, ulong Address)[] Forbidden =>
    [
        ("sptm", Virt.SptmBase),
        ("sk", Virt.SkBase),
        ("image", Virt.ImageHeaderBase),
        ("device.entropy", Virt.EntropyDevice),
        ("uart", Virt.Uart),
        ("gic", InterruptController),
        ("beyond", BeyondMemory),
    ];

    public void Run()
    {
        UnknownFunctions();
        UnregisteredArguments();
        uint registered = _driver.RegisterMessagePage();
        Verdict("register.page", "own page", 0, $"0x{registered:x8}", "0x00000000 (positive control)", registered == Tee.Success);
        if (registered == Tee.Success)
        {
            WrongCookies();
            PageLists();
            Messages();
            Tokens();
            Flips();
            Sessions();
            uint gone = _driver.Unregister(_driver.MessageCookie);
            Verdict("unregister.page", "own page", 0, $"0x{gone:x8}", "0x00000000", gone == Tee.Success);
        }

        Firmware();
    }

    private void UnknownFunctions()
    {
        foreach (ulong function in (ReadOnlySpan<ulong>)[0x3200_00FF, 0xB200_00FE, 0xBF00_FFFE, 0xC200_0000, 0x0200_0000, 0x8400_0050, 0xFFFF_FFFF])
        {
            CallResult answer = _device.Call(function, 1, 2, 3);
            Verdict("function.unknown", $"0x{function:x8}", 0, Words(answer), "x0 = 0xffffffff", (uint)answer.X0 == Tee.ReturnUnknown);
        }

        CallResult legacy = _device.Call(Tee.CallWithArg, 0, _driver.PrivatePage.Address, 0);
        Verdict("function.legacy", "CALL_WITH_ARG", 0, Words(legacy), "refused: x0 <> 0", legacy.X0 != Tee.ReturnOk);

        CallResult counter = _device.Call(Tee.ExclavesCounter, ulong.MaxValue);
        Verdict("counter.index", "2^64-1", 0, Words(counter), "refused: x0 <> 0", counter.X0 != Tee.ReturnOk);
    }

    // The page of CALL_WITH_RPC_ARG is read and written by SPTM: it must be Linux's own, whole and aligned.
    private void UnregisteredArguments()
    {
        foreach ((string name, ulong address) in Forbidden)
        {
            CallResult answer = _driver.ToEnd(_device.Call(Tee.CallWithRpcArg, address >> 32, (uint)address, 0));
            Verdict("argument.foreign", name, address, Words(answer), "refused: x0 <> 0", answer.X0 != Tee.ReturnOk);
        }

        ulong page = _driver.PrivatePage.Address;
        foreach (ulong offset in (ReadOnlySpan<ulong>)[1, 8, 0xFF8])
        {
            RawDriver.Begin(_driver.PrivatePage, RawDriver.CommandUnregister, 1);
            CallResult answer = _driver.ToEnd(_device.Call(Tee.CallWithRpcArg, page >> 32, (uint)(page + offset), 0));
            Verdict("argument.unaligned", $"+{offset}", page + offset, Words(answer), "refused: x0 <> 0", answer.X0 != Tee.ReturnOk);
        }
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
            CallResult answer = _driver.ToEnd(_device.Call(Tee.CallWithRegdArg, high, low, offset));
            Verdict("cookie.wrong", name, 0, Words(answer), "refused: x0 <> 0", answer.X0 != Tee.ReturnOk);
        }
    }

    private void PageLists()
    {
        ulong own = _device.NewPage().Address;
        long shared = (long)Counter(SptmCounter.SharedFrames);
        foreach ((string name, ulong address) in Forbidden)
        {
            Refused("list.entry", name, address, _driver.RegisterPages(_driver.NewCookie(), [own, address, own]));
            Refused("list.page", name, address, _driver.Register(address, 4096, _driver.NewCookie()));
        }

        Refused("list.entry", "unaligned", own + 8, _driver.RegisterPages(_driver.NewCookie(), [own + 8]));
        Refused("list.entry", "zero", 0, _driver.RegisterPages(_driver.NewCookie(), [0]));
        Refused("list.entry", "all ones", ulong.MaxValue, _driver.RegisterPages(_driver.NewCookie(), [ulong.MaxValue]));

        // A list that names itself as its next page: 511 entries, then round again.
        Span<byte> list = _driver.ListPage.Bytes;
        for (int i = 0; i < 511; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(list[(i * sizeof(ulong))..], own);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(list[(511 * sizeof(ulong))..], _driver.ListPage.Address);
        Ended("list.loop", "2^40 bytes", _driver.Register(_driver.ListPage.Address, 1UL << 40, _driver.NewCookie()));
        Ended("list.size", "2^64-1 bytes", _driver.Register(_driver.ListPage.Address, ulong.MaxValue, _driver.NewCookie()));
        Ended("list.size", "wraps with its offset", _driver.Register(_driver.ListPage.Address | 0xFFF, ulong.MaxValue - 0xFFE, _driver.NewCookie()));
        Ended("list.size", "zero bytes", _driver.Register(_driver.ListPage.Address, 0, _driver.NewCookie()));
        Refused("list.attribute", "not a page list", 0, _driver.Register(_driver.ListPage.Address, 4096, _driver.NewCookie(), attributes: 0x00A));
        Refused("list.attribute", "value", 0, _driver.Register(_driver.ListPage.Address, 4096, _driver.NewCookie(), attributes: 1));
        Refused("list.parameters", "none", 0, _driver.Register(_driver.ListPage.Address, 4096, _driver.NewCookie(), parameterCount: 0));
        Refused("list.parameters", "2^32-1", 0, _driver.Register(_driver.ListPage.Address, 4096, _driver.NewCookie(), parameterCount: uint.MaxValue));
        Refused("unregister.cookie", "nobody has it", 0, _driver.Unregister(_driver.NewCookie()));

        // One page under two cookies, and twice in one list, is what real clients do.
        ulong first = _driver.NewCookie();
        ulong second = _driver.NewCookie();
        uint twice = _driver.RegisterPages(first, [own, own]) | _driver.RegisterPages(second, [own]);
        uint undone = _driver.Unregister(first) | _driver.Unregister(second);
        Verdict("list.twice", "same page", own, $"0x{twice:x8}, 0x{undone:x8}", "0, 0 (positive control)", twice == 0 && undone == 0);
        Refused("unregister.cookie", "already gone", 0, _driver.Unregister(first));

        long after = (long)Counter(SptmCounter.SharedFrames);
        Verdict("list.leak", "shared frames", 0, $"{after - shared} more than before", "0", after == shared);
    }

    private void Messages()
    {
        uint opened = _driver.Open(ServiceName.Hello, out uint session);
        Verdict("message.open", "Hello", 0, $"0x{opened:x8}", "0x00000000 (positive control)", opened == Tee.Success);

        // Room for six, of which a service sees four: what is beyond must be empty (GlobalPlatform's limit).
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, 5);
        uint empty = _driver.SendRegistered();
        Verdict("message.parameters", "5, empty", 0, $"0x{empty:x8}", "0x00000000 (positive control)", empty == Tee.Success);
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, 5);
        RawDriver.Parameter(_driver.MessagePage, 4, 1, 1, 2, 3);
        Refused("message.parameters", "5, the last a value", 0, _driver.SendRegistered());

        foreach (uint count in (ReadOnlySpan<uint>)[7, 127, 128, 0x0800_0000, uint.MaxValue])
        {
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, count);
            Refused("message.parameters", $"{count}", 0, _driver.SendRegistered());
        }

        foreach (uint command in (ReadOnlySpan<uint>)[6, 7, 8, 0x7FFF_FFFF, uint.MaxValue])
        {
            RawDriver.Begin(_driver.MessagePage, command, 0);
            Ended("message.command", $"{command}", _driver.SendRegistered());
        }

        foreach (ulong attributes in (ReadOnlySpan<ulong>)[4, 8, 0xC, 0xFF, 0x20A, 0x301, 1UL << 63])
        {
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Echo, 2);
            RawDriver.Parameter(_driver.MessagePage, 0, attributes, 1, 2, 3);
            RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeValueOut, 0, 0, 0);
            Refused("message.attribute", $"0x{attributes:x}", 0, _driver.SendRegistered());
        }

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
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Transform, 2);
            RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeMemoryIn, offset, bytes, cookie);
            RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeMemoryOut, 2048, 64, _driver.MessageCookie);
            Refused("message.memory", name, 0, _driver.SendRegistered());
        }

        // A memory reference by physical address is for NULL alone.
        foreach ((string name, ulong address) in Forbidden)
        {
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Transform, 2);
            RawDriver.Parameter(_driver.MessagePage, 0, 9, address, 64, 0);
            RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeMemoryOut, 2048, 64, _driver.MessageCookie);
            Refused("message.physical", name, address, _driver.SendRegistered());
        }

        foreach (uint number in (ReadOnlySpan<uint>)[0, session + 0x1000, uint.MaxValue])
        {
            _driver.PrepareInvoke(_driver.MessagePage, number, (uint)HelloOperation.Null, 0);
            Refused("message.session", $"0x{number:x}", 0, _driver.SendRegistered());
            Refused("message.close", $"0x{number:x}", 0, _driver.Close(number));
        }

        uint closed = _driver.Close(session);
        Verdict("message.close", "Hello", 0, $"0x{closed:x8}", "0x00000000", closed == Tee.Success);
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, 0);
        Refused("message.session", "closed", 0, _driver.SendRegistered());
    }

    private void Tokens()
    {
        Random random = new(7);
        int wrong = 0;
        for (int i = 0; i < 1000; i++)
        {
            CallResult answer = _device.Call(Tee.ReturnFromRpc, (uint)random.Next(), (uint)random.Next(), i < 500 ? (ulong)i : (ulong)random.NextInt64());
            wrong += answer.X0 == Tee.ReturnResume ? 0 : 1;
        }

        Verdict("token.forged", "1000 tokens", 0, $"{1000 - wrong} refused with ERESUME", "1000", wrong == 0);

        uint opened = _driver.Open(ServiceName.Hello, out uint session);
        if (opened != Tee.Success)
        {
            Verdict("token.session", "Hello", 0, $"0x{opened:x8}", "0x00000000 (positive control)", false);
            return;
        }

        StaleToken(session);
        DoubleResume(session);
        WrongAnswer(session);
        _ = _driver.Close(session);
    }

    // Interrupts come by themselves (the tick); a token of an earlier suspension must not work again.
    private void StaleToken(uint session)
    {
        CallResult answer = StartSpin(session, LongSpin);
        bool interrupted = answer.X0 == Tee.RpcForeignInterrupt;
        ulong stale = answer.X3;
        CallResult next = interrupted ? _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3) : answer;
        CallResult replay = _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, stale);
        CallResult end = _driver.ToEnd(next);
        bool right = end.X0 == Tee.ReturnOk && SpinAnswer() == HelloTransform.Spin(LongSpin);
        Verdict("token.stale", "earlier suspension", 0, $"replay {Words(replay)}, call {(right ? "right" : "WRONG")}", "ERESUME, call right", interrupted && replay.X0 == Tee.ReturnResume && right);

        CallResult late = _device.Call(Tee.ReturnFromRpc, end.X1, end.X2, stale);
        Verdict("token.finished", "call that ended", 0, Words(late), "ERESUME", late.X0 == Tee.ReturnResume);
    }

    // Two threads use one token at once: one goes on with the call, the other is refused.
    private void DoubleResume(uint session)
    {
        int good = 0;
        int rounds = 0;
        for (int i = 0; i < 50; i++)
        {
            CallResult answer = StartSpin(session, LongSpin);
            if (answer.X0 != Tee.RpcForeignInterrupt)
            {
                continue;
            }

            rounds++;
            CallResult[] results = new CallResult[2];
            using Barrier start = new(2);
            Thread[] threads = [.. Enumerable.Range(0, 2).Select(number => new Thread(() =>
            {
                start.SignalAndWait();
                results[number] = _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3);
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());

            int refused = results.Count(result => result.X0 == Tee.ReturnResume);
            CallResult[] going = [.. results.Where(result => result.X0 != Tee.ReturnResume)];
            bool right = going.Length == 1 && _driver.ToEnd(going[0]).X0 == Tee.ReturnOk && SpinAnswer() == HelloTransform.Spin(LongSpin);
            good += refused == 1 && right ? 1 : 0;
        }

        Verdict("token.race", "two CPUs, one token", 0, $"{good} of {rounds} rounds right", "all, at least 1", rounds > 0 && good == rounds);
    }

    // The service waits for Linux's clock: lie about the answer's shape. The call may fail, the service may not.
    private void WrongAnswer(uint session)
    {
        (string Name, Action<Span<byte>> Change)[] lies =
        [
            ("error code", rpc => BinaryPrimitives.WriteUInt32LittleEndian(rpc[20..], Tee.ErrorGeneric)),
            ("parameter count 2^32-1", rpc => BinaryPrimitives.WriteUInt32LittleEndian(rpc[28..], uint.MaxValue)),
            ("other attribute", rpc => BinaryPrimitives.WriteUInt64LittleEndian(rpc[32..], RawDriver.AttributePageList)),
            ("nanoseconds 2^64-1", rpc => BinaryPrimitives.WriteUInt64LittleEndian(rpc[48..], ulong.MaxValue)),
            ("all ones", rpc => rpc[..64].Fill(0xFF)),
        ];
        foreach ((string name, Action<Span<byte>> change) in lies)
        {
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Time, 1);
            RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeValueOut, 0, 0, 0);
            CallResult answer = _driver.ToEnd(_device.Call(Tee.CallWithRegdArg, _driver.MessageCookie >> 32, (uint)_driver.MessageCookie, 0));
            bool asked = answer.X0 == Tee.RpcCommand;
            if (asked)
            {
                // The RPC argument follows the main one: header and one parameter.
                Span<byte> rpc = _driver.MessagePage.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes)..];
                BinaryPrimitives.WriteUInt32LittleEndian(rpc[20..], Tee.Success);
                change(rpc);
                answer = _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3));
            }

            bool alive = Null(session);
            Verdict("upcall.lie", name, 0, $"{Words(answer)}, result 0x{RawDriver.Result(_driver.MessagePage):x8}", "call ends, service lives", asked && answer.X0 == Tee.ReturnOk && alive);
        }
    }

    // A second CPU rewrites the message while it is being read: any answer will do, as long as there is one and the next call works.
    private void Flips()
    {
        if (_driver.Open(ServiceName.Hello, out uint session) != Tee.Success)
        {
            Verdict("message.flip", "Hello", 0, "no session", "a session", false);
            return;
        }

        bool stop = false;
        Thread flipper = new(() =>
        {
            Random random = new(3);
            while (!Volatile.Read(ref stop))
            {
                int at = random.Next(0, 12) * sizeof(ulong);
                Span<byte> word = _driver.MessagePage.Bytes.Slice(at, sizeof(ulong));
                ulong old = BinaryPrimitives.ReadUInt64LittleEndian(word);
                BinaryPrimitives.WriteUInt64LittleEndian(word, old ^ (1UL << random.Next(64)));
                Thread.SpinWait(50);
                BinaryPrimitives.WriteUInt64LittleEndian(word, old);
            }
        });
        flipper.Start();
        int calls = 0;
        int strange = 0;
        for (; calls < 5000; calls++)
        {
            _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Echo, 2);
            RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeValueIn, 1, 2, 3);
            RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeValueOut, 0, 0, 0);
            CallResult answer = _driver.ToEnd(_device.Call(Tee.CallWithRegdArg, _driver.MessageCookie >> 32, (uint)_driver.MessageCookie, 0));

            // A flipped operation number may ask for the clock: answer that it cannot be had.
            for (int turn = 0; answer.X0 == Tee.RpcCommand && turn < 8; turn++)
            {
                answer = _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3));
            }

            strange += answer.X0 <= Tee.ReturnNotAvailable ? 0 : 1;
        }

        Volatile.Write(ref stop, true);
        flipper.Join();

        // A flip may have turned an invocation into the end of the session, so life is shown by a fresh one.
        _ = _driver.Close(session);
        bool alive = _driver.Open(ServiceName.Hello, out session) == Tee.Success && Null(session);
        _ = _driver.Close(session);
        Verdict("message.flip", $"{calls} calls", 0, $"{strange} answers outside the protocol, service {(alive ? "lives" : "DEAD")}", "0, lives", strange == 0 && alive);
    }

    // Sessions until the table is full: a clear refusal, and everything works again after they are closed.
    private void Sessions()
    {
        List<uint> sessions = [];
        uint result = 0;
        while (sessions.Count < 100_000 && (result = _driver.Open(ServiceName.Hello, out uint session)) == Tee.Success)
        {
            sessions.Add(session);
        }

        bool refused = result is Tee.ErrorOutOfMemory or Tee.ErrorBusy;
        int left = sessions.Count(session => _driver.Close(session) != Tee.Success);
        bool works = _driver.Open(ServiceName.Hello, out uint last) == Tee.Success && Null(last) && _driver.Close(last) == Tee.Success;
        Verdict("session.flood", "Hello", 0, $"{sessions.Count} opened, then 0x{result:x8}; {left} not closed", "refused, all closed, works", refused && left == 0 && works);
    }

    // PSCI as Linux calls it. Power calls outside the allow-list are refused; a CPU never starts in secure memory.
    private void Firmware()
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
            CallResult answer = _device.CallFirmware(function, 0, 0, 0);
            Verdict("psci.closed", name, 0, Words(answer), "not supported", (uint)answer.X0 == NotSupported);
        }

        foreach ((string name, ulong entry) in Forbidden)
        {
            foreach (ulong cpu in (ReadOnlySpan<ulong>)[0, 1, 7])
            {
                CallResult answer = _device.CallFirmware(0xC400_0003, cpu, entry, 0);
                Verdict("psci.cpu_on", $"{name} cpu {cpu}", entry, Words(answer), "refused: negative", (int)answer.X0 < 0);
            }
        }

        CallResult wide = _device.CallFirmware(0xDEAD_BEEF_C400_0003, 0, Virt.SptmBase, 0);
        Verdict("psci.cpu_on", "upper half set", Virt.SptmBase, Words(wide), "refused: negative", (int)wide.X0 < 0);
    }

    private CallResult StartSpin(uint session, ulong rounds)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Spin, 2);
        RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeValueIn, rounds, 0, 0);
        RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeValueOut, 0, 0, 0);
        return _device.Call(Tee.CallWithRegdArg, _driver.MessageCookie >> 32, (uint)_driver.MessageCookie, 0);
    }

    private ulong SpinAnswer() =>
        BinaryPrimitives.ReadUInt64LittleEndian(_driver.MessagePage.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes + 8)..]);

    private bool Null(uint session)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Null, 0);
        return _driver.SendRegistered() == Tee.Success;
    }

    private ulong Counter(SptmCounter counter) => _device.Counter(counter) ?? 0;

    private void Refused(string name, string target, ulong address, uint result) =>
        Verdict(name, target, address, $"0x{result:x8}", "refused: not 0", result is not Tee.Success and not RawDriver.NoAnswer);

    // The call must end; what it answers is free.
    private void Ended(string name, string target, uint result) =>
        Verdict(name, target, 0, $"0x{result:x8}", "an answer", result != RawDriver.NoAnswer);

    private void Verdict(string name, string target, ulong address, string outcome, string expected, bool ok) =>
        _report.Add(new AttackResult(name, target, address, outcome, "", 0, expected, ok));

    private static string Words(CallResult answer) => $"x0 = 0x{answer.X0:x}";
}
