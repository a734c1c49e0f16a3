using System;

namespace Exclaves.Attack;

/// <summary>QEMU's `edu` device: a DMA engine with a buffer of its own, and interrupts on request (QEMU docs/specs/edu).</summary>
internal sealed class EduDevice
{
    public const ushort Vendor = 0x1234;
    public const ushort Id = 0x11E8;

    /// <summary>What register 0 reads: version 1.0 and the letters of the device.</summary>
    public const uint Identity = 0x0100_00ED;

    private const int RegisterBytes = 0x1000;
    private const uint RaiseInterrupt = 0x60;
    private const uint AcknowledgeInterrupt = 0x64;
    private const uint DmaSource = 0x80;
    private const uint DmaDestination = 0x88;
    private const uint DmaCount = 0x90;
    private const uint DmaCommand = 0x98;
    private const ulong DmaStart = 1;
    private const ulong DmaToMemory = 2;
    private const ulong Buffer = 0x4_0000;

    private readonly RegisterRange _registers;

    public EduDevice(PciFunction function)
    {
        Function = function.Enable();
        _registers = function.MapBar(0, RegisterBytes);
    }

    public PciFunction Function { get; }

    /// <summary>Memory to the device's buffer.</summary>
    public void Load(ulong address, int bytes) => Transfer(address, Buffer, bytes, DmaStart);

    /// <summary>The device's buffer to memory.</summary>
    public void Store(ulong address, int bytes) => Transfer(Buffer, address, bytes, DmaStart | DmaToMemory);

    /// <summary>Raises an interrupt and acknowledges it; with messages on, the device writes one message.</summary>
    public void Interrupt()
    {
        _registers.Write32(RaiseInterrupt, 1);
        _registers.Write32(AcknowledgeInterrupt, 1);
    }

    /// <summary>A transfer was begun and has not taken place yet.</summary>
    public bool IsBusy => (_registers.Read32(DmaCommand) & (uint)DmaStart) != 0;

    /// <summary>Memory to the device's buffer, some time from now.</summary>
    public void BeginLoad(ulong address, int bytes) => Begin(address, Buffer, bytes, DmaStart);

    /// <summary>The device's buffer to memory, some time from now.</summary>
    public void BeginStore(ulong address, int bytes) => Begin(Buffer, address, bytes, DmaStart | DmaToMemory);

    /// <summary>Waits for what was begun.</summary>
    public void End() => Wait.Until(() => !IsBusy, "edu does not end a transfer");

    private void Transfer(ulong from, ulong to, int bytes, ulong command)
    {
        Begin(from, to, bytes, command);
        End();
    }

    private void Begin(ulong from, ulong to, int bytes, ulong command)
    {
        _registers.Write64(DmaSource, from);
        _registers.Write64(DmaDestination, to);
        _registers.Write64(DmaCount, (ulong)bytes);
        _registers.Write64(DmaCommand, command);
    }
}
