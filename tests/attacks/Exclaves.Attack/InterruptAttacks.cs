using System;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Interrupts of every kind at the secure world: it must neither keep one, nor swallow one, nor lose the call.</summary>
/// <remarks>The module raises them with everything masked at Linux's side, so the first who can take one is whoever runs in the call.</remarks>
internal sealed class InterruptAttacks
{
    private const ulong LongSpin = 30_000_000;

    /// <summary>Instructions from the moment an interrupt is due to the return to Linux (I6), the monitor's part included.</summary>
    private const ulong Bound = 20_000;
    private const ulong InstructionsPerTick = 16;

    private readonly Trial _trial;
    private readonly AttackDevice _device;
    private readonly RawDriver _driver;

    private InterruptAttacks(Trial trial)
    {
        _trial = trial;
        _device = trial.Field.Device;
        _driver = trial.Field.Driver;
    }

    /// <summary>What the module raises.</summary>
    private enum Source : ulong
    {
        Group1 = 0,
        Group0 = 1,
        Timer = 2,
    }

    public static void AddTo(Suite suite)
    {
        suite.Add("interrupt.pending", trial => new InterruptAttacks(trial).PendingAtEntry());
        suite.Add("interrupt.group0", trial => new InterruptAttacks(trial).FastInterrupts());
        suite.Add("interrupt.timer", trial => new InterruptAttacks(trial).TimerAtEveryPoint());
        suite.Add("interrupt.storm", trial => new InterruptAttacks(trial).Storm());
        suite.Add("interrupt.fast", trial => new InterruptAttacks(trial).FastCalls());
    }

    private Meter Interrupted => _trial.Field.Of(SkCounter.Interrupted);

    // No entry makes progress, and none keeps the interrupt: whoever masks interrupts hurts his own call alone.
    private void PendingAtEntry()
    {
        using Session session = new(_driver);
        CallResult last = default;
        _trial.Try("1000 entries", Interrupted, () =>
        {
            last = _driver.StartSpin(session.Number, LongSpin);
            for (int i = 0; i < 1000; i++)
            {
                AttackRequest made = Raise(Source.Group1, Tee.ReturnFromRpc, last.X1, last.X2, last.X3);
                last = Answer(made);
                if (last.X0 != Tee.RpcForeignInterrupt || !IsOwn(made, Source.Group1))
                {
                    return Attempt.Succeeded($"entry {i}: x0 = 0x{last.X0:x}, then interrupt {made.Out[5]}");
                }
            }

            return Attempt.Stopped("each came back at once, and Linux took the interrupt");
        });
        _trial.Permit("the call, once nothing is pending", () => Right(last));
    }

    // Without EL3 Linux can make interrupts of group 0, which arrive as FIQ.
    private void FastInterrupts()
    {
        using Session session = new(_driver);
        CallResult last = _driver.StartSpin(session.Number, LongSpin);
        for (int i = 0; i < 20; i++)
        {
            _trial.Try($"FIQ {i}", Interrupted, () =>
            {
                AttackRequest made = Raise(Source.Group0, Tee.ReturnFromRpc, last.X1, last.X2, last.X3);
                last = Answer(made);
                return Attempt.Of(last.X0 == Tee.RpcForeignInterrupt && IsOwn(made, Source.Group0), $"x0 = 0x{last.X0:x}, then Linux took interrupt {made.Out[5]}");
            });
        }

        _trial.Permit("the call", () => Right(last));
    }

    // On a machine whose clock counts instructions: from the moment the timer is due to the return, wherever in the call that is.
    private void TimerAtEveryPoint()
    {
        const ulong ShortSpin = 2000;
        using Session session = new(_driver);
        Timed(
            "computing service",
            () =>
            {
                _driver.PrepareSpin(session.Number, ShortSpin);
                return [Tee.CallWithRegdArg, _driver.MessageCookie >> 32, (uint)_driver.MessageCookie];
            },
            () => RawDriver.Result(_driver.MessagePage));
        ulong cookie = 0;
        ulong[] pages = [.. Enumerable.Repeat(_trial.Field.OwnPage.Address, 511)];
        Timed(
            "registration of 511 pages",
            () =>
            {
                cookie = _driver.NewCookie();
                _driver.PrepareRegister(cookie, pages);
                return [Tee.CallWithRpcArg, _driver.PrivatePage.Address >> 32, (uint)_driver.PrivatePage.Address];
            },
            () => _driver.Unregister(cookie));
        _trial.Permit("a call without a timer", () => Right(_driver.StartSpin(session.Number, LongSpin)));
    }

    /// <param name="prepare">Lays a message out; answers x0 to x2.</param>
    /// <param name="finish">After the call's end: the result code.</param>
    private void Timed(string name, Func<ulong[]> prepare, Func<uint> finish) => _trial.Try(name, Interrupted, () =>
    {
        ulong worst = 0;
        for (ulong delay = 1; delay <= 3000; delay += 13)
        {
            ulong[] call = prepare();
            AttackRequest made = _device.Run(AttackKind.InterruptedCall, call[0], call[1], call[2], 0, (ulong)Source.Timer, delay);
            worst = Math.Max(worst, made.Out[4] * InstructionsPerTick);
            CallResult end = _driver.ToEnd(Answer(made));
            uint result = finish();
            if (end.X0 != Tee.ReturnOk || result != Tee.Success)
            {
                return Attempt.Neither($"timer after {delay} ticks: x0 = 0x{end.X0:x}, result 0x{result:x8}");
            }
        }

        return Attempt.Of(worst <= Bound, $"at most {worst} instructions from due to return");
    });

    // Reschedule interrupts from the other CPU as fast as it can send them, while a call runs.
    private void Storm()
    {
        using Session session = new(_driver);
        CallResult end = default;
        _trial.Try("200,000 interrupts", Interrupted, () =>
        {
            Thread sender = new(() => _ = _device.Run(AttackKind.Storm, 0xF, 200_000));
            sender.Start();
            end = _driver.ToEnd(_driver.StartSpin(session.Number, LongSpin));
            sender.Join();
            return Attempt.Of(end.X0 == Tee.ReturnOk, $"the call came back each time and ended with x0 = 0x{end.X0:x}");
        });
        _trial.Permit("the same call afterwards", () => Right(_driver.StartSpin(session.Number, LongSpin)));
    }

    // From an interrupt handler Linux may make fast calls: they are answered without the secure world, whatever is pending.
    private void FastCalls()
    {
        Meter traps = _trial.Field.Of(SptmCounter.Traps);
        ulong[] calls = [Tee.CallsUid, Tee.CallsRevision, Tee.GetOsRevision, Tee.ExclavesCounter];
        foreach (ulong function in calls)
        {
            _trial.Try($"0x{function:x8}", traps, () =>
            {
                ulong before = Entries();
                for (int i = 0; i < 100; i++)
                {
                    AttackRequest made = Raise((i & 1) == 0 ? Source.Group1 : Source.Group0, function, 0, 0, 0);
                    if (made.Out[0] == Tee.RpcForeignInterrupt || !IsOwn(made, (Source)(i & 1)))
                    {
                        return Attempt.Succeeded($"call {i}: x0 = 0x{made.Out[0]:x}, then interrupt {made.Out[5]}");
                    }
                }

                ulong entered = Entries() - before;
                return Attempt.Of(entered == 0, $"100 answers; {entered} entries into the secure world");
            });
        }

        using Session session = new(_driver);
        _trial.Permit("a yielding call enters", () =>
        {
            ulong before = Entries();
            Attempt ended = Right(_driver.StartSpin(session.Number, LongSpin));
            return Entries() > before ? ended : Attempt.Neither("it did not enter");
        });
    }

    private ulong Entries() => _device.Counter(SptmCounter.Enter) ?? 0;

    private AttackRequest Raise(Source source, ulong x0, ulong x1, ulong x2, ulong x3) =>
        _device.Run(AttackKind.InterruptedCall, x0, x1, x2, x3, (ulong)source, 0);

    private static bool IsOwn(AttackRequest made, Source source) => made.Error == 0 && made.Out[5] == (source == Source.Group1 ? 14u : 15u);

    private static CallResult Answer(AttackRequest made) => new(made.Out[0], made.Out[1], made.Out[2], made.Out[3]);

    private Attempt Right(CallResult answer)
    {
        CallResult end = _driver.ToEnd(answer);
        return end.X0 == Tee.ReturnOk && _driver.SpinAnswer() == HelloTransform.Spin(LongSpin)
            ? Attempt.Succeeded("the call ended right")
            : Attempt.Neither($"x0 = 0x{end.X0:x}, or a wrong sum");
    }
}
