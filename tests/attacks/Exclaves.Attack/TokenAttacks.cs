using System;
using System.Buffers.Binary;
using System.Linq;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>What a hostile kernel does with a call that is under way: tokens, lies to upcalls, messages that change.</summary>
internal sealed class TokenAttacks
{
    private const ulong LongSpin = 30_000_000;

    private readonly Trial _trial;
    private readonly AttackDevice _device;
    private readonly RawDriver _driver;

    private TokenAttacks(Trial trial)
    {
        _trial = trial;
        _device = trial.Field.Device;
        _driver = trial.Field.Driver;
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("call.token.forged", trial => new TokenAttacks(trial).Forged());
        suite.Add("call.token.stale", trial => new TokenAttacks(trial).Stale());
        suite.Add("call.token.race", trial => new TokenAttacks(trial).Race());
        suite.Add("call.upcall.lie", trial => new TokenAttacks(trial).Lies());
        suite.Add("call.flip", trial => new TokenAttacks(trial).Flips());
    }

    private Meter BadTokens => _trial.Field.Of(SkCounter.BadTokens);

    private void Forged()
    {
        using Session session = new(_driver);
        Random random = new(7);
        _trial.Try("1000 tokens", BadTokens, () =>
        {
            int wrong = 0;
            for (int i = 0; i < 1000; i++)
            {
                CallResult answer = _device.Call(Tee.ReturnFromRpc, (uint)random.Next(), (uint)random.Next(), i < 500 ? (ulong)i : (ulong)random.NextInt64());
                wrong += answer.X0 == Tee.ReturnResume ? 0 : 1;
            }

            return Attempt.Of(wrong == 0, $"{1000 - wrong} answered with ERESUME");
        });
        _trial.Permit("issued token", () => Interrupted(session, out CallResult answer)
            ? Right(_driver.ToEnd(answer))
            : Attempt.Neither("no interrupt came"));
    }

    // Interrupts come by themselves (the tick); a token of an earlier suspension must not work again.
    private void Stale()
    {
        using Session session = new(_driver);
        if (!Interrupted(session, out CallResult answer))
        {
            _trial.Fail("no interrupt came");
            return;
        }

        ulong stale = answer.X3;
        CallResult next = _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3);
        _trial.Try("earlier suspension", BadTokens, () => Resumed(_device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, stale)));
        CallResult end = default;
        _trial.Permit("current token", () => Right(end = _driver.ToEnd(next)));
        _trial.Try("call that ended", BadTokens, () => Resumed(_device.Call(Tee.ReturnFromRpc, end.X1, end.X2, stale)));
    }

    // Two threads use one token at once: one goes on with the call, the other is refused.
    private void Race()
    {
        using Session session = new(_driver);
        int rounds = 0;
        for (int i = 0; i < 50; i++)
        {
            if (!Interrupted(session, out CallResult answer))
            {
                continue;
            }

            rounds++;
            CallResult[] results = new CallResult[2];
            _trial.Try($"round {i}", BadTokens, () =>
            {
                using Barrier start = new(2);
                Thread[] threads = [.. Enumerable.Range(0, 2).Select(number => new Thread(() =>
                {
                    start.SignalAndWait();
                    results[number] = _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3);
                }))];
                Array.ForEach(threads, thread => thread.Start());
                Array.ForEach(threads, thread => thread.Join());
                int refused = results.Count(result => result.X0 == Tee.ReturnResume);
                return refused == 1 ? Attempt.Stopped("one of two refused") : Attempt.Neither($"{refused} of two refused");
            });
            CallResult[] going = [.. results.Where(result => result.X0 != Tee.ReturnResume)];
            _trial.Permit($"round {i}", () => going.Length == 1 ? Right(_driver.ToEnd(going[0])) : Attempt.Neither($"{going.Length} went on"));
        }

        if (rounds == 0)
        {
            _trial.Fail("no interrupt came");
        }
    }

    // The service waits for Linux's clock: lie about the answer's shape. The call may fail, the service may not.
    private void Lies()
    {
        using Session session = new(_driver);
        (string Name, Action<Span<byte>> Change)[] lies =
        [
            ("nanoseconds 2^64 - 1", rpc => BinaryPrimitives.WriteUInt64LittleEndian(rpc[48..], ulong.MaxValue)),
            ("seconds 2^63", rpc => BinaryPrimitives.WriteUInt64LittleEndian(rpc[40..], 1UL << 63)),
            ("all ones", rpc => rpc[32..64].Fill(0xFF)),
        ];
        foreach ((string name, Action<Span<byte>> change) in lies)
        {
            _trial.Try(name, _trial.Field.Of(ProxyCounter.BadReplies), () =>
            {
                CallResult answer = Time(session, change);
                uint result = RawDriver.Result(_driver.MessagePage);
                return answer.X0 != Tee.ReturnOk ? Attempt.Neither($"x0 = 0x{answer.X0:x}") : Attempt.Of(result != Tee.Success, $"0x{result:x8}");
            });
        }

        _trial.Permit("true answer", () =>
        {
            CallResult answer = Time(session, rpc =>
            {
                BinaryPrimitives.WriteUInt64LittleEndian(rpc[40..], 1_000_000);
                BinaryPrimitives.WriteUInt64LittleEndian(rpc[48..], 5);
            });
            ulong seconds = BinaryPrimitives.ReadUInt64LittleEndian(_driver.MessagePage.Bytes[(RawDriver.HeaderBytes + 8)..]);
            return answer.X0 == Tee.ReturnOk && seconds == 1_000_000 ? Attempt.Succeeded("") : Attempt.Neither($"x0 = 0x{answer.X0:x}, {seconds} s");
        });
    }

    private CallResult Time(Session session, Action<Span<byte>> change)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session.Number, (uint)HelloOperation.Time, 1);
        RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeValueOut, 0, 0, 0);
        CallResult answer = _driver.ToEnd(_driver.CallRegistered());
        if (answer.X0 != Tee.RpcCommand)
        {
            return answer;
        }

        // The RPC argument follows the main one: header and one parameter.
        Span<byte> rpc = _driver.MessagePage.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes)..];
        BinaryPrimitives.WriteUInt32LittleEndian(rpc[20..], Tee.Success);
        change(rpc);
        return _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3));
    }

    // A second CPU rewrites the message while it is being read: any answer will do, as long as there is one and the next call works.
    private void Flips()
    {
        Session session = new(_driver);
        _trial.Try("5000 calls", _trial.Field.Of(ProxyCounter.Malformed), () =>
        {
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
            int strange = 0;
            for (int calls = 0; calls < 5000; calls++)
            {
                CallResult answer = Echo(session.Number);

                // A flipped operation number may ask for the clock: answer that it cannot be had.
                for (int turn = 0; answer.X0 == Tee.RpcCommand && turn < 8; turn++)
                {
                    answer = _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3));
                }

                strange += answer.X0 <= Tee.ReturnNotAvailable ? 0 : 1;
            }

            Volatile.Write(ref stop, true);
            flipper.Join();
            return strange == 0 ? Attempt.Stopped("every call was answered within the protocol") : Attempt.Succeeded($"{strange} answers outside the protocol");
        });

        // A flip may have turned an invocation into the end of the session, so life is shown by a fresh one.
        session.Dispose();
        using Session fresh = new(_driver);
        _trial.Permit("100 calls without flips", () =>
        {
            int right = 0;
            for (int i = 0; i < 100; i++)
            {
                bool answered = Echo(fresh.Number).X0 == Tee.ReturnOk && RawDriver.Result(_driver.MessagePage) == Tee.Success;
                right += answered && BinaryPrimitives.ReadUInt64LittleEndian(_driver.MessagePage.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes + 8)..]) == 1 ? 1 : 0;
            }

            return right == 100 ? Attempt.Succeeded("") : Attempt.Neither($"{right} of 100 right");
        });
    }

    private CallResult Echo(uint session)
    {
        _driver.PrepareInvoke(_driver.MessagePage, session, (uint)HelloOperation.Echo, 2);
        RawDriver.Parameter(_driver.MessagePage, 0, RawDriver.AttributeValueIn, 1, 2, 3);
        RawDriver.Parameter(_driver.MessagePage, 1, RawDriver.AttributeValueOut, 0, 0, 0);
        return _driver.ToEnd(_driver.CallRegistered());
    }

    private bool Interrupted(Session session, out CallResult answer)
    {
        answer = _driver.StartSpin(session.Number, LongSpin);
        return answer.X0 == Tee.RpcForeignInterrupt;
    }

    private Attempt Right(CallResult end) => end.X0 == Tee.ReturnOk && _driver.SpinAnswer() == HelloTransform.Spin(LongSpin)
        ? Attempt.Succeeded("the call ended right")
        : Attempt.Neither($"x0 = 0x{end.X0:x}, or a wrong sum");

    private static Attempt Resumed(CallResult answer) => Attempt.Of(answer.X0 == Tee.ReturnResume, $"x0 = 0x{answer.X0:x}");
}
