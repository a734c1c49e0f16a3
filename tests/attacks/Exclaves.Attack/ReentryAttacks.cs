using System;
using System.Buffers.Binary;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Ways back into the secure world for a thread that is not outside, or into a service that is not done.</summary>
internal sealed class ReentryAttacks
{
    private const ulong LongSpin = 30_000_000;
    private const ulong Seconds = 1_000_000;

    // SK's Downcalls: how a context's next token follows from its last. It is no secret.
    private const int TokenIndexBits = 9;
    private const uint TokenStep = 0x2C_92D5;
    private const uint TokenMask = (1u << (32 - TokenIndexBits)) - 1;

    private readonly Trial _trial;
    private readonly AttackDevice _device;
    private readonly RawDriver _driver;

    private ReentryAttacks(Trial trial)
    {
        _trial = trial;
        _device = trial.Field.Device;
        _driver = trial.Field.Driver;
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("call.token.upcall", trial => new ReentryAttacks(trial).AnswerTwice());
        suite.Add("call.token.predicted", trial => new ReentryAttacks(trial).Predict());
        suite.Add("call.upcall.enter", trial => new ReentryAttacks(trial).EnterWaitingService());
        suite.Add("call.session.closing", trial => new ReentryAttacks(trial).EnterEndingSession());
        suite.Add("call.immediate", trial => new ReentryAttacks(trial).Immediates());
    }

    private Meter BadTokens => _trial.Field.Of(SkCounter.BadTokens);

    // One answer to one upcall: the thread that it woke is inside when the second comes, and gone when the third does.
    private void AnswerTwice()
    {
        using Session session = new(_driver);
        CallResult waiting = StartTime(_driver.Message, session);
        if (waiting.X0 != Tee.RpcCommand)
        {
            _trial.Fail($"no upcall came: x0 = 0x{waiting.X0:x}");
            return;
        }

        AnswerTime(_driver.Message);
        CallResult next = _device.Call(Tee.ReturnFromRpc, waiting.X1, waiting.X2, waiting.X3);
        _trial.Try("second answer", BadTokens, () => Again(waiting));
        _trial.Permit("first answer", () => Told(_driver.Message, _driver.ToEnd(next)));
        _trial.Try("answer after the end", BadTokens, () => Again(waiting));
    }

    // Linux can compute the next token and try it on another CPU before the first has saved the thread.
    private void Predict()
    {
        const int Rounds = 20;
        using Session session = new(_driver);
        int wrong = 0;
        int ended = 0;
        _trial.Try($"{Rounds} rounds", BadTokens, () =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                CallResult first = _driver.StartSpin(session.Number, LongSpin);
                if (first.X0 != Tee.RpcForeignInterrupt)
                {
                    return Attempt.Neither($"no interrupt came: x0 = 0x{first.X0:x}");
                }

                (CallResult left, CallResult end) = ResumeBesideGuesses(first, NextToken(first.X3));
                bool right = end.X0 == Tee.ReturnOk && _driver.SpinAnswer() == HelloTransform.Spin(LongSpin);
                wrong += end.X0 == Tee.ReturnOk && !right ? 1 : 0;
                ended += right ? 1 : 0;
                if (end.X0 != Tee.ReturnOk)
                {
                    return Attempt.Neither($"the guess never came true: the token was 0x{left.X3:x}");
                }
            }

            return Attempt.Of(wrong == 0, $"refused until the thread was out; {wrong} of {Rounds} went on half saved");
        });
        _trial.Permit("guesses that came true", () => ended == Rounds ? Attempt.Succeeded("") : Attempt.Neither($"{ended} of {Rounds} calls ended right"));
    }

    private static ulong NextToken(ulong token) =>
        ((ulong)(((uint)(token >> TokenIndexBits) + TokenStep) & TokenMask) << TokenIndexBits) | (token & ((1u << TokenIndexBits) - 1));

    /// <summary>Resumes a call on one CPU while another tries its next token until it is accepted, and then carries the call to its end.</summary>
    private (CallResult Left, CallResult End) ResumeBesideGuesses(CallResult first, ulong guess)
    {
        CallResult end = default;
        using Barrier start = new(2);
        Thread other = new(() =>
        {
            CallResult taken = _device.Call(Tee.ReturnFromRpc, 0, 0, guess);
            start.SignalAndWait();
            _ = Wait.For(() => (taken = _device.Call(Tee.ReturnFromRpc, 0, 0, guess)).X0 != Tee.ReturnResume, TimeSpan.FromSeconds(2));
            end = _driver.ToEnd(taken);
        });
        other.Start();
        start.SignalAndWait();
        CallResult left = _device.Call(Tee.ReturnFromRpc, first.X1, first.X2, first.X3);
        other.Join();
        return (left, end);
    }

    // The service's one thread waits for Linux: no other call may make it run on.
    private void EnterWaitingService()
    {
        MessageSlot second = _driver.NewMessage();
        using Session session = new(_driver);
        using Session other = new(_driver);
        CallResult waiting = StartTime(_driver.Message, session);
        CallResult entered = default;
        foreach (Session through in (ReadOnlySpan<Session>)[session, other])
        {
            _trial.Try(through == session ? "same session" : "another session", _trial.Field.Of(SkCounter.Interrupted), () =>
            {
                PrepareEcho(second, through);
                entered = _driver.Start(second);
                for (int i = 0; i < 100 && IsOutside(entered); i++)
                {
                    entered = GoOn(second, entered);
                }

                return Attempt.Of(IsOutside(entered), $"x0 = 0x{entered.X0:x} after 100 tries");
            });
            if (through == session)
            {
                AnswerTime(_driver.Message);
                _trial.Permit("the upcall's answer", () => Told(_driver.Message, _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, waiting.X1, waiting.X2, waiting.X3))));
                _trial.Permit("the second call, after it", () => Echoed(second, ToEnd(second, entered)));
                waiting = StartTime(_driver.Message, session);
            }
        }

        AnswerTime(_driver.Message);
        _trial.Permit("the upcall's answer again", () => Told(_driver.Message, _driver.ToEnd(_device.Call(Tee.ReturnFromRpc, waiting.X1, waiting.X2, waiting.X3))));
        _trial.Permit("the other session's call", () => Echoed(second, ToEnd(second, entered)));
        Require(_driver.Unregister(second.Cookie) == Tee.Success);
    }

    /// <summary>The call is with Linux: an interrupt came, or it is to sleep.</summary>
    private static bool IsOutside(CallResult answer) => answer.X0 is Tee.RpcForeignInterrupt or Tee.RpcCommand;

    /// <summary>Does what the driver does, and comes back. The argument of what it is to do follows the call's own two parameters.</summary>
    private CallResult GoOn(MessageSlot slot, CallResult answer)
    {
        if (answer.X0 == Tee.RpcCommand)
        {
            ReadOnlySpan<byte> rpc = slot.Page.Bytes[(RawDriver.HeaderBytes + (2 * RawDriver.ParameterBytes))..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(rpc) != Rpc.Suspend)
            {
                _trial.Fail($"a call that waits asks for command {BinaryPrimitives.ReadUInt32LittleEndian(rpc)}");
            }

            // One more: the driver's sleep is never shorter than what is asked for.
            Thread.Sleep((int)BinaryPrimitives.ReadUInt64LittleEndian(rpc[(RawDriver.HeaderBytes + 8)..]) + 1);
        }

        return _device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3);
    }

    private CallResult ToEnd(MessageSlot slot, CallResult answer)
    {
        while (IsOutside(answer))
        {
            answer = GoOn(slot, answer);
        }

        return answer;
    }

    // A session is closed while its call is inside: nothing may enter it any more, and the call ends as if nothing had happened.
    private void EnterEndingSession()
    {
        MessageSlot second = _driver.NewMessage();
        MessageSlot third = _driver.NewMessage();
        Session session = new(_driver);
        CallResult running = _driver.StartSpin(session.Number, LongSpin);
        RawDriver.Begin(second.Page, RawDriver.CommandClose, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(second.Page.Bytes[8..], session.Number);
        CallResult closing = _driver.Start(second);
        _trial.Try("while it is closing", _trial.Field.Of(ProxyCounter.Malformed), () => Entry(third, session));
        _trial.Permit("the call inside", () =>
        {
            CallResult end = _driver.ToEnd(running);
            return end.X0 == Tee.ReturnOk && _driver.SpinAnswer() == HelloTransform.Spin(LongSpin) ? Attempt.Succeeded("") : Attempt.Neither($"x0 = 0x{end.X0:x}");
        });
        _trial.Permit("the closing", () => _driver.ToEnd(closing).X0 == Tee.ReturnOk && RawDriver.Result(second.Page) == Tee.Success
            ? Attempt.Succeeded("") : Attempt.Neither("refused"));
        _trial.Try("when it is closed", _trial.Field.Of(ProxyCounter.Malformed), () => Entry(third, session));
        Require((_driver.Unregister(second.Cookie) | _driver.Unregister(third.Cookie)) == Tee.Success);
    }

    // The instruction's own number could name another interface: there is none.
    private void Immediates()
    {
        const uint PsciVersion = 0x8400_0000;
        Meter refused = _trial.Field.Of(SptmCounter.RefusedCall);
        foreach (CallForm form in (ReadOnlySpan<CallForm>)[CallForm.HypervisorOne, CallForm.HypervisorLast])
        {
            _trial.Try($"{form}", refused, () => Refused(_device.CallAs(form, Tee.CallsRevision)));
            _trial.Try($"{form}, yielding", refused, () => Refused(_device.CallAs(form, Tee.CallWithRegdArg, _driver.MessageCookie >> 32, (uint)_driver.MessageCookie)));
        }

        foreach (CallForm form in (ReadOnlySpan<CallForm>)[CallForm.FirmwareOne, CallForm.FirmwareLast])
        {
            _trial.Try($"{form}", refused, () => Refused(_device.CallAs(form, PsciVersion)));
            _trial.Try($"{form}, CPU_ON", refused, () => Refused(_device.CallAs(form, 0xC400_0003, 1, _trial.Field.OwnPage.Address, 0)));
        }

        _trial.Permit("HVC 0", () => _device.Call(Tee.CallsRevision).X0 == 2 ? Attempt.Succeeded("") : Attempt.Neither("no revision"));
        _trial.Permit("SMC 0", () => _device.CallFirmware(PsciVersion).X0 >= 0x1_0000 ? Attempt.Succeeded("") : Attempt.Neither("no version"));
    }

    private static Attempt Refused(CallResult answer) => Attempt.Of((uint)answer.X0 == uint.MaxValue, $"x0 = 0x{answer.X0:x}");

    private Attempt Again(CallResult waiting)
    {
        CallResult answer = _device.Call(Tee.ReturnFromRpc, waiting.X1, waiting.X2, waiting.X3);
        return Attempt.Of(answer.X0 == Tee.ReturnResume, $"x0 = 0x{answer.X0:x}");
    }

    private CallResult StartTime(MessageSlot slot, Session session)
    {
        _driver.PrepareInvoke(slot.Page, session.Number, (uint)HelloOperation.Time, 1);
        RawDriver.Parameter(slot.Page, 0, RawDriver.AttributeValueOut, 0, 0, 0);
        return _driver.ToEnd(_driver.Start(slot));
    }

    // The RPC argument follows the main one: header and one parameter.
    private static void AnswerTime(MessageSlot slot)
    {
        Span<byte> rpc = slot.Page.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes)..];
        BinaryPrimitives.WriteUInt32LittleEndian(rpc[20..], Tee.Success);
        BinaryPrimitives.WriteUInt64LittleEndian(rpc[40..], Seconds);
        BinaryPrimitives.WriteUInt64LittleEndian(rpc[48..], 5);
    }

    private static Attempt Told(MessageSlot slot, CallResult end)
    {
        ulong seconds = BinaryPrimitives.ReadUInt64LittleEndian(slot.Page.Bytes[(RawDriver.HeaderBytes + 8)..]);
        return end.X0 == Tee.ReturnOk && seconds == Seconds ? Attempt.Succeeded("") : Attempt.Neither($"x0 = 0x{end.X0:x}, {seconds} s");
    }

    private void PrepareEcho(MessageSlot slot, Session session)
    {
        _driver.PrepareInvoke(slot.Page, session.Number, (uint)HelloOperation.Echo, 2);
        RawDriver.Parameter(slot.Page, 0, RawDriver.AttributeValueIn, 1, 2, 3);
        RawDriver.Parameter(slot.Page, 1, RawDriver.AttributeValueOut, 0, 0, 0);
    }

    private static Attempt Echoed(MessageSlot slot, CallResult end)
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(slot.Page.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes + 8)..]);
        return end.X0 == Tee.ReturnOk && RawDriver.Result(slot.Page) == Tee.Success && value == 1
            ? Attempt.Succeeded("") : Attempt.Neither($"x0 = 0x{end.X0:x}, {value}");
    }

    private Attempt Entry(MessageSlot slot, Session session)
    {
        PrepareEcho(slot, session);
        CallResult end = _driver.ToEnd(_driver.Start(slot));
        uint result = RawDriver.Result(slot.Page);
        return Attempt.Of(end.X0 != Tee.ReturnOk || result != Tee.Success, $"x0 = 0x{end.X0:x}, result 0x{result:x8}");
    }

    private void Require(bool given)
    {
        if (!given)
        {
            _trial.Fail("a message page cannot be given back");
        }
    }
}
