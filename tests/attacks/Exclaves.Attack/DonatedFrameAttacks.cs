using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Attack;

/// <summary>Devices at a frame that Linux gives to a conclave: before, while it changes hands, while the conclave has it, and after.</summary>
/// <remarks>
/// `edu` says of a transfer that it has begun and when it has ended. One that it still owes when the page has changed hands was in flight over that;
/// one that was quicker is begun again. The driver is the attacker's own, which answers the conclave's upcall with the page of its choice.
/// </remarks>
internal sealed class DonatedFrameAttacks : IDisposable
{
    private const int Probe = 64;
    private const byte Mark = 0x5A;

    /// <summary>Transfers of which one must last longer than the page needs to change hands.</summary>
    private const int Flights = 64;
    private const int RpcAt = RawDriver.HeaderBytes + (2 * RawDriver.ParameterBytes);

    private readonly Trial _trial;
    private readonly RawDriver _driver;
    private readonly Masters _masters;
    private readonly Session _session;
    private readonly KernelPage _page;
    private readonly ulong _cookie;

    private DonatedFrameAttacks(Trial trial)
    {
        _trial = trial;
        _driver = trial.Field.Driver;
        _masters = trial.Field.Masters;
        _page = trial.Field.Device.NewPage();
        _cookie = _driver.NewCookie();
        _session = new Session(_driver);
    }

    private EduDevice Edu => _masters.Edu;

    private Meter RefusedDma => _trial.Field.Of(SptmCounter.RefusedDma);

    public static void AddTo(Suite suite) => suite.Add("edu.donated", trial =>
    {
        using DonatedFrameAttacks attacks = new(trial);
        attacks.Run();
    });

    public void Dispose() => _session.Dispose();

    private void Run()
    {
        if (!_trial.IsWeak)
        {
            _trial.Try("read while it is still Linux's", RefusedDma, Read);
            _trial.Try("read begun before it is donated", RefusedDma, () => InFlight(BeginRead, Give, Take, JudgeRead));
            Take();
        }

        _trial.Try("write begun before it is donated", RefusedDma, () => InFlight(BeginWrite, Give, Take, JudgeWrite));
        Refill();
        _trial.Try("read while the conclave has it", RefusedDma, Read);
        _trial.Try("write while the conclave has it", RefusedDma, Write);
        Refill();
        _trial.Try("buffer of a disk's request", RefusedDma, DiskIntoIt);
        if (!_trial.IsWeak)
        {
            _trial.Try("read begun before it comes back", RefusedDma, () => InFlight(BeginRead, begin =>
            {
                begin();
                Take();
            }, () => Give(() => { }), JudgeRead));
            _trial.Try("after it came back", RefusedDma, () => Read() is { Refused: true } read && _page.Bytes.IndexOfAnyExcept((byte)0) < 0
                ? read : Attempt.Succeeded("something of the conclave's is in it, or a device reaches it"));
        }
        else
        {
            Take();
        }
    }

    /// <param name="handOver">The page changes hands after what it is given was done.</param>
    /// <param name="takeBack">It changes hands once more, when the transfer was over too early.</param>
    private Attempt InFlight(Action begin, Action<Action> handOver, Action takeBack, Func<Attempt> judge)
    {
        for (int i = 0; i < Flights; i++)
        {
            Fill();
            handOver(begin);
            bool isInFlight = Edu.IsBusy;
            Edu.End();
            if (isInFlight)
            {
                return judge();
            }

            takeBack();
        }

        return Attempt.Neither($"{Flights} transfers were over before the page had changed hands");
    }

    private Attempt Read()
    {
        Fill();
        BeginRead();
        Edu.End();
        return JudgeRead();
    }

    private Attempt Write()
    {
        Fill();
        BeginWrite();
        Edu.End();
        return JudgeWrite();
    }

    private void BeginRead() => Edu.BeginLoad(_page.Address, Probe);

    private void BeginWrite() => Edu.BeginStore(_page.Address, Probe);

    /// <summary>Hello's words are the loot.</summary>
    private Attempt JudgeRead()
    {
        _masters.Result.Bytes.Clear();
        Edu.Store(_masters.Result.Address, Probe);
        Span<byte> read = _masters.Result.Bytes[..Probe];
        return BinaryPrimitives.ReadUInt64LittleEndian(read) == HelloTransform.Word(0, 0) ? Attempt.Succeeded("read the conclave's words")
            : read.IndexOfAnyExcept((byte)0, Mark) < 0 ? Attempt.Stopped("nothing came")
            : Attempt.Neither($"read {Convert.ToHexString(read[..16])}");
    }

    /// <summary>The conclave says whether it is there.</summary>
    private Attempt JudgeWrite() => Attempt.Of(Ask(HelloMemoryAction.Check) == 1, "what the conclave finds in its page");

    private Attempt DiskIntoIt()
    {
        _masters.Pattern.Bytes.Fill(Mark);
        bool stored = _masters.Disk.Transfer(toDisk: true, 24, _masters.Pattern.Address, RawDisk.SectorBytes);
        _ = _masters.Disk.Transfer(toDisk: false, 24, _page.Address, RawDisk.SectorBytes);
        return stored ? Attempt.Of(Ask(HelloMemoryAction.Check) == 1, "what the conclave finds in its page") : Attempt.Neither("the disk does not work");
    }

    private void Fill()
    {
        _masters.Pattern.Bytes.Fill(Mark);
        Edu.Load(_masters.Pattern.Address, Probe);
    }

    /// <summary>The conclave asks for a page, gets this one, and writes its words into it.</summary>
    /// <param name="first">Done before the answer that donates the page.</param>
    private void Give(Action first)
    {
        ulong before = Donated();
        ulong filled = Ask(HelloMemoryAction.Fill, first);
        if (filled != 1 || Donated() != before + 1)
        {
            throw new InvalidOperationException($"the conclave has {filled} pages, and {Donated() - before} frames were donated");
        }
    }

    private void Take()
    {
        ulong before = Donated();
        _ = Ask(HelloMemoryAction.Drop);
        if (Donated() != before - 1)
        {
            throw new InvalidOperationException("the page did not come back");
        }
    }

    /// <summary>Where a write succeeded the conclave writes its words anew.</summary>
    private void Refill()
    {
        if (_trial.IsWeak)
        {
            Take();
            Give(() => { });
        }
    }

    private ulong Donated() => _trial.Field.Device.Counter(SptmCounter.DonatedFrames) ?? 0;

    /// <summary>A call of Hello whose upcalls are answered here: memory by the page, its return by nothing. Answers the pages that Hello names.</summary>
    private ulong Ask(HelloMemoryAction action, Action? beforeAnswer = null)
    {
        KernelPage message = _driver.MessagePage;
        _driver.PrepareInvoke(message, _session.Number, (uint)HelloOperation.Memory, 2);
        RawDriver.Parameter(message, 0, RawDriver.AttributeValueIn, (ulong)action, 1, 0);
        RawDriver.Parameter(message, 1, RawDriver.AttributeValueOut, 0, 0, 0);
        CallResult answer = _driver.ToEnd(_driver.CallRegistered());
        while (answer.X0 is Tee.RpcCommand or Tee.RpcFree)
        {
            if (answer.X0 == Tee.RpcCommand)
            {
                Span<byte> rpc = message.Bytes[RpcAt..];
                BinaryPrimitives.WriteUInt32LittleEndian(rpc[20..], Tee.Success);
                Span<byte> parameter = rpc[RawDriver.HeaderBytes..];
                BinaryPrimitives.WriteUInt64LittleEndian(parameter, RawDriver.AttributeMemoryAllocated);
                BinaryPrimitives.WriteUInt64LittleEndian(parameter[8..], _page.Address);
                BinaryPrimitives.WriteUInt64LittleEndian(parameter[16..], 4096);
                BinaryPrimitives.WriteUInt64LittleEndian(parameter[24..], _cookie);
                beforeAnswer?.Invoke();
            }

            answer = _driver.ToEnd(_driver.Device.Call(Tee.ReturnFromRpc, answer.X1, answer.X2, answer.X3));
        }

        uint result = RawDriver.Result(message);
        return answer.X0 == Tee.ReturnOk && result == Tee.Success
            ? BinaryPrimitives.ReadUInt64LittleEndian(message.Bytes[(RawDriver.HeaderBytes + RawDriver.ParameterBytes + 8)..])
            : throw new InvalidOperationException($"{action}: x0 = 0x{answer.X0:x}, result 0x{result:x8}");
    }
}
