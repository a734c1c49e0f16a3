using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Messages: a thread of the program receives and answers by calls of SK that it makes itself (<see cref="PersonalityCall.Messages"/>), so that a call of a client is one of SK too, and as many
/// are served at once as threads ask. Its message page is the program's: what we ask for on the way leaves it as it was.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    /// <summary>Copies a message of the program to the page; its header says how long it is.</summary>
    private ulong TryFillPage(ulong buffer, ulong capacity)
    {
        Span<byte> page = _machine.MessagePage(_thread);
        if (capacity < MessageHeader.Bytes || !TryRead(buffer, page[..MessageHeader.Bytes])) { return Result.Of(Errno.BadAddress); }

        uint length = MemoryMarshal.AsRef<MessageHeader>(page).Length;
        if (length > MessageHeader.MaxBodyBytes || MessageHeader.Bytes + length > capacity) { return Result.Of(Errno.MessageSize); }

        return TryRead(buffer + MessageHeader.Bytes, page.Slice(MessageHeader.Bytes, (int)length)) ? Result.Ok : Result.Of(Errno.BadAddress);
    }

    private ulong CallEndpoint(ulong slot, ulong buffer, ulong capacity)
    {
        if (slot > uint.MaxValue) { return Result.Of(Errno.InvalidArgument); }

        ulong result = TryFillPage(buffer, capacity);
        if (result != Result.Ok) { return result; }

        Current.Slot = (uint)slot;
        Current.Buffer = buffer;
        Current.BufferBytes = capacity;
        BeginWait(ThreadState.Call, Clock.Never);
        return Result.Ok;
    }

    /// <summary>Copies the answer in the page to the program.</summary>
    private ulong TakeAnswer()
    {
        Span<byte> page = _machine.MessagePage(_thread);
        ulong bytes = MessageHeader.Bytes + Math.Min((ulong)MemoryMarshal.AsRef<MessageHeader>(page).Length, MessageHeader.MaxBodyBytes);
        if (bytes > Current.BufferBytes) { return Result.Of(Errno.MessageSize); }

        return TryWrite(Current.Buffer, page[..(int)bytes]) ? bytes : Result.Of(Errno.BadAddress);
    }

    private static ulong Refused(Status status) => Result.Of(status switch
    {
        Status.BadCapability or Status.Denied => Errno.NotPermitted,
        Status.Busy or Status.Deadlock => Errno.Busy,
        Status.NoMemory => Errno.NoMemory,
        _ => Errno.InputOutput,
    });
}
