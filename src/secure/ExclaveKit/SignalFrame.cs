using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What rt_sigreturn takes back besides the registers.</summary>
public struct SignalReturnState
{
    public ulong BlockedSignals;
    public ulong AlternateStack;
    public ulong AlternateStackBytes;
    public uint AlternateStackFlags;
}

/// <summary>Linux's rt_sigframe on arm64: siginfo, ucontext, and the frame record behind them.</summary>
/// <remarks>
/// Offsets are those of arch/arm64/include/uapi/asm/{sigcontext,ucontext}.h. The program reads the frame, and changes it: everything that comes
/// back is data, and the processor state is reduced to its condition flags.
/// </remarks>
public static class SignalFrame
{
    // struct rt_sigframe { siginfo (128); ucontext; }, then { fp, lr }.
    public const int InfoOffset = 0;
    public const int ContextOffset = 128;
    private const int StackOffset = ContextOffset + 16;
    private const int MaskOffset = ContextOffset + 40;

    // uc_mcontext is aligned to 16 behind flags, link, stack and 128 bytes of mask.
    public const int MachineOffset = ContextOffset + 176;
    private const int RegistersOffset = MachineOffset + 8;
    private const int StackPointerOffset = RegistersOffset + (31 * 8);
    private const int ProgramCounterOffset = StackPointerOffset + 8;
    private const int StateOffset = ProgramCounterOffset + 8;
    private const int ReservedOffset = MachineOffset + 288;
    private const int ReservedBytes = 4096;
    public const int RecordOffset = ReservedOffset + ReservedBytes;

    /// <summary>Multiple of 16, frame record included.</summary>
    public const int Bytes = RecordOffset + 16;

    private const uint FloatMagic = 0x4650_8001;
    private const int FloatBytes = 528;
    private const uint SyndromeMagic = 0x4553_5201;
    private const int SyndromeBytes = 16;

    /// <summary>NZCV: all of PSTATE that a program may choose (DIT and SSBS included).</summary>
    private const ulong StateMask = 0xF100_1000;

    public static void Write(Span<byte> frame, in UserContext context, in SignalCause cause, in KitThread thread, ulong blocked)
    {
        frame[..Bytes].Clear();
        PutInfo(frame, in cause);
        Put(frame, StackOffset, thread.AlternateStack);
        Put32(frame, StackOffset + 8, thread.AlternateStackFlags);
        Put(frame, StackOffset + 16, thread.AlternateStackBytes);
        Put(frame, MaskOffset, blocked);
        Put(frame, MachineOffset, cause.IsFault ? cause.Address : 0);
        for (int i = 0; i < 31; i++) { Put(frame, RegistersOffset + (i * 8), context.X[i]); }

        Put(frame, StackPointerOffset, context.StackPointer);
        Put(frame, ProgramCounterOffset, context.ProgramCounter);
        Put(frame, StateOffset, context.ProcessorState);
        PutFloat(frame[ReservedOffset..], in context);
        if (cause.IsFault)
        {
            Put32(frame, ReservedOffset + FloatBytes, SyndromeMagic);
            Put32(frame, ReservedOffset + FloatBytes + 4, SyndromeBytes);
            Put(frame, ReservedOffset + FloatBytes + 8, cause.Syndrome);
        }

        Put(frame, RecordOffset, context.X[29]);
        Put(frame, RecordOffset + 8, context.X[30]);
    }

    /// <summary>Takes the registers back; false when the frame is not one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, ref UserContext context, out SignalReturnState state)
    {
        state = default;
        if (!TryFindFloat(frame.Slice(ReservedOffset, ReservedBytes), out ReadOnlySpan<byte> vectors)) { return false; }

        for (int i = 0; i < 31; i++) { context.X[i] = Get(frame, RegistersOffset + (i * 8)); }

        context.StackPointer = Get(frame, StackPointerOffset);
        context.ProgramCounter = Get(frame, ProgramCounterOffset);
        context.ProcessorState = Get(frame, StateOffset) & StateMask;
        context.FloatStatus = Get32(vectors, 8);
        context.FloatControl = Get32(vectors, 12);
        for (int i = 0; i < 64; i++) { context.V[i] = Get(vectors, 16 + (i * 8)); }

        state.BlockedSignals = Get(frame, MaskOffset) & ~Signal.Unblockable;
        state.AlternateStack = Get(frame, StackOffset);
        state.AlternateStackFlags = Get32(frame, StackOffset + 8);
        state.AlternateStackBytes = Get(frame, StackOffset + 16);
        return true;
    }

    private static void PutInfo(Span<byte> frame, in SignalCause cause)
    {
        Put32(frame, InfoOffset, cause.Signal);
        Put32(frame, InfoOffset + 8, (uint)cause.Code);
        if (cause.IsFault)
        {
            Put(frame, InfoOffset + 16, cause.Address);
        }
        else
        {
            // Sender: the program itself, user 0.
            Put32(frame, InfoOffset + 16, KitState.ProcessId);
        }
    }

    private static void PutFloat(Span<byte> reserved, in UserContext context)
    {
        Put32(reserved, 0, FloatMagic);
        Put32(reserved, 4, FloatBytes);
        Put32(reserved, 8, context.FloatStatus);
        Put32(reserved, 12, context.FloatControl);
        for (int i = 0; i < 64; i++) { Put(reserved, 16 + (i * 8), context.V[i]); }
    }

    /// <summary>Walks the records up to the one with the vector registers: a handler may have put others before it.</summary>
    private static bool TryFindFloat(ReadOnlySpan<byte> reserved, out ReadOnlySpan<byte> record)
    {
        int offset = 0;
        record = default;
        while (offset <= reserved.Length - 8)
        {
            uint magic = Get32(reserved, offset);
            uint bytes = Get32(reserved, offset + 4);
            if (magic == 0 || bytes < 8 || bytes % 8 != 0 || bytes > (uint)(reserved.Length - offset)) { return false; }

            if (magic == FloatMagic && bytes == FloatBytes)
            {
                record = reserved.Slice(offset, FloatBytes);
                return true;
            }

            offset += (int)bytes;
        }

        return false;
    }

    private static void Put(Span<byte> frame, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(frame[offset..], value);

    private static void Put32(Span<byte> frame, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(frame[offset..], value);

    private static ulong Get(ReadOnlySpan<byte> frame, int offset) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame[offset..]);

    private static uint Get32(ReadOnlySpan<byte> frame, int offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[offset..]);
}
