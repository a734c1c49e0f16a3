using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Messages: each thread of the program that asks for one waits in SK, so as many calls are served at once as threads ask. A thread's message page is ours alone, so
/// that our own calls for randomness cannot disturb a message.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private ulong ReceiveMessage(ulong buffer, ulong bytes)
    {
        if (bytes < MessageHeader.Bytes || Current.Serving) { return Result.Of(Errno.InvalidArgument); }

        Current.Buffer = buffer;
        Current.BufferBytes = bytes;
        BeginWait(ThreadState.Receive, Clock.Never);
        return Result.Ok;
    }

    private ulong ReplyMessage(ulong buffer, ulong bytes)
    {
        if (!Current.Serving) { return Result.Of(Errno.InvalidArgument); }

        ulong result = TryFillPage(buffer, bytes);
        if (result != Result.Ok) { return result; }

        Current.Serving = false;
        Current.Buffer = buffer;
        Current.BufferBytes = bytes;

        // If a signal interrupts the wait, the answer must not be sent twice.
        Current.CallNumber = PersonalityCall.Receive;
        BeginWait(ThreadState.ReplyReceive, Clock.Never);
        return Result.Ok;
    }

    private void EndReceive(Status status)
    {
        if (status != Status.Kicked)
        {
            EndWait(_thread, status == Status.Ok ? TakeMessage(Current.Buffer, Current.BufferBytes) : Refused(status));
            return;
        }

        // The answer is sent. Perhaps there is a signal to handle before the next message.
        Current.State = ThreadState.Receive;
        Interrupt(_thread);
    }

    /// <summary>Copies the message in the page to the program. If that cannot be done, the sender is told so, and the program too.</summary>
    private ulong TakeMessage(ulong buffer, ulong capacity)
    {
        Span<byte> page = _machine.MessagePage(_thread);
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(page);
        ulong bytes = MessageHeader.Bytes + Math.Min((ulong)header.Length, MessageHeader.MaxBodyBytes);
        Current.Serving = true;
        if (bytes <= capacity && TryWrite(buffer, page[..(int)bytes])) { return bytes; }

        Current.Serving = false;
        header.Label = MessageLabel.Reply;
        header.Status = Status.TooBig;
        header.Length = 0;
        Status status = _machine.Reply();
        return status == Status.Ok ? Result.Of(Errno.MessageSize) : Refused(status);
    }

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
