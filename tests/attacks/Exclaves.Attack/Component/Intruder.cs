using System;
using System.Buffers.Binary;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>How a step of secure EL0 went.</summary>
/// <param name="Value">x0 afterwards.</param>
/// <param name="Reason">None: it was carried out. Else SK handed a fault or an exception back.</param>
internal readonly record struct StepResult(ulong Value, ReflectReason Reason, ulong Syndrome)
{
    /// <summary>ESR_EL1.EC.</summary>
    public ulong Class => (Syndrome >> 26) & 0x3F;

    public override string ToString() => Reason == ReflectReason.None ? $"x0 = 0x{Value:x}" : $"{Reason}, ESR_EL1 0x{Syndrome:x}";
}

/// <summary>A session of the component that an attacker owns (tests/attacks/Intruder).</summary>
internal sealed class Intruder : IDisposable
{
    private const uint StepOperation = 1;
    private const uint CallOperation = 2;
    private const uint SendOperation = 3;
    private const uint WhereOperation = 4;

    private static readonly ServiceName Name = new(Guid.Parse("c0ffee00-1d1e-4f5a-9a6b-2b7d3e8f9a51"), "Intruder");

    private readonly RawDriver _driver;
    private readonly Session _session;

    public Intruder(RawDriver driver)
    {
        _driver = driver;
        _session = new Session(driver, Name);
        Invoke(WhereOperation, 0, 0, 0, 0);
        Text = Word(2, 0);
        Data = Word(2, 1);
        Constant = Word(3, 0);
        Stack = Word(3, 1);
    }

    public ulong Text { get; }

    public ulong Data { get; }

    public ulong Constant { get; }

    public ulong Stack { get; }

    /// <summary>One instruction.</summary>
    public StepResult Step(IntruderStep step, ulong x0 = 0, ulong x1 = 0)
    {
        Invoke(StepOperation, (ulong)step, x0, x1, 0);
        return new StepResult(Word(2, 0), (ReflectReason)Word(2, 1), Word(3, 0));
    }

    public Status Call(ulong number, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0)
    {
        Invoke(CallOperation, number, x0, x1, x2);
        return (Status)Word(2, 0);
    }

    public Status Call(SecureCall call, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0) => Call((ulong)call, x0, x1, x2);

    /// <summary>An empty message to the endpoint in a slot.</summary>
    public Status Send(ulong slot, MessageLabel label)
    {
        Invoke(SendOperation, slot, (ulong)label, 0, 0);
        return (Status)Word(2, 0);
    }

    public void Dispose() => _session.Dispose();

    private void Invoke(uint operation, ulong a, ulong b, ulong c, ulong d)
    {
        KernelPage page = _driver.MessagePage;
        _driver.PrepareInvoke(page, _session.Number, operation, 4);
        RawDriver.Parameter(page, 0, RawDriver.AttributeValueIn, a, b, 0);
        RawDriver.Parameter(page, 1, RawDriver.AttributeValueIn, c, d, 0);
        RawDriver.Parameter(page, 2, RawDriver.AttributeValueOut, 0, 0, 0);
        RawDriver.Parameter(page, 3, RawDriver.AttributeValueOut, 0, 0, 0);
        uint result = _driver.SendRegistered();
        if (result != Tee.Success)
        {
            throw new InvalidOperationException($"the intruder does not answer: 0x{result:x8}");
        }
    }

    private ulong Word(int parameter, int word) => BinaryPrimitives.ReadUInt64LittleEndian(
        _driver.MessagePage.Bytes[(RawDriver.HeaderBytes + (parameter * RawDriver.ParameterBytes) + sizeof(ulong) + (word * sizeof(ulong)))..]);
}

/// <summary>Instructions by their number in intruder.S.</summary>
internal enum IntruderStep : ulong
{
    Load, Store, Branch, Clean, Invalidate, Zero, InvalidateText, InvalidateAllText, InvalidateTranslations, Hvc, Smc, Brk, Eret, MaskInterrupts,
    ReadSctlr, ReadTtbr, WriteTtbr, WriteVbar, ReadTpidrEl1, ReadEsr, WriteMdscr, ReadDebugStatus, ReadVirtualTimer, WriteVirtualTimer, ReadPhysicalTimer,
    Acknowledge, WriteHcr, ReadCounter, ReadThreadPointer, Translate,
}
