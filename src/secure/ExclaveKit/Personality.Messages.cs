using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Messages: the program's thread that asks for one waits like any other; when nobody else can run, the wait is SK's. The message page is ours alone, so
/// that the program's other threads and our own calls for randomness cannot disturb a message.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private ulong ReceiveMessage(ulong buffer, ulong bytes)
    {
        if (bytes < MessageHeader.Bytes) { return Result.Of(Errno.InvalidArgument); }

        if (FindReceiver() >= 0) { return Result.Of(Errno.Busy); }

        Current.Buffer = buffer;
        Current.BufferBytes = bytes;
        BeginWait(ThreadState.Receive, Clock.Never);
        return Result.Ok;
    }

    private ulong ReplyMessage(ulong buffer, ulong bytes)
    {
        if (!_state.Serving) { return Result.Of(Errno.InvalidArgument); }

        ulong result = TryFillPage(buffer, bytes);
        if (result != Result.Ok) { return result; }

        _state.Serving = false;
        Current.Buffer = buffer;
        Current.BufferBytes = bytes;

        // Nothing else to do: one call of SK sends the answer and waits. The running thread is still runnable, so it is found last.
        ExpireWaits();
        if (FindRunnable() == _state.Current && FindReceiver() < 0)
        {
            Status status = _machine.ReplyReceive();
            return status == Status.Ok ? TakeMessage(buffer, bytes) : Refused(status);
        }

        // Others have work: the client gets its answer now, and they run before we wait.
        Status sent = _machine.Reply();
        if (sent != Status.Ok) { return Refused(sent); }

        // If a signal interrupts the wait, the answer must not be sent twice.
        Current.CallNumber = PersonalityCall.Receive;
        return ReceiveMessage(buffer, bytes);
    }

    /// <summary>Waits in SK for a message and gives it to the thread that has asked for one.</summary>
    private void AwaitMessage(int receiver)
    {
        Status status = _machine.Receive();
        ref KitThread thread = ref _state.Threads[receiver];
        EndWait(receiver, status == Status.Ok ? TakeMessage(thread.Buffer, thread.BufferBytes) : Refused(status));
    }

    /// <summary>Copies the message in the page to the program. If that cannot be done, the sender is told so, and the program too.</summary>
    private ulong TakeMessage(ulong buffer, ulong capacity)
    {
        Span<byte> page = _machine.MessagePage;
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(page);
        ulong bytes = MessageHeader.Bytes + Math.Min((ulong)header.Length, MessageHeader.MaxBodyBytes);
        _state.Serving = true;
        if (bytes <= capacity && TryWrite(buffer, page[..(int)bytes])) { return bytes; }

        _state.Serving = false;
        header.Label = MessageLabel.Reply;
        header.Status = Status.TooBig;
        header.Length = 0;
        Status status = _machine.Reply();
        return status == Status.Ok ? Result.Of(Errno.MessageSize) : Refused(status);
    }

    /// <summary>Copies a message of the program to the page; its header says how long it is.</summary>
    private ulong TryFillPage(ulong buffer, ulong capacity)
    {
        Span<byte> page = _machine.MessagePage;
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

        Status status = _machine.Call((uint)slot);
        if (status != Status.Ok) { return Refused(status); }

        Span<byte> page = _machine.MessagePage;
        ulong bytes = MessageHeader.Bytes + Math.Min((ulong)MemoryMarshal.AsRef<MessageHeader>(page).Length, MessageHeader.MaxBodyBytes);
        if (bytes > capacity) { return Result.Of(Errno.MessageSize); }

        return TryWrite(buffer, page[..(int)bytes]) ? bytes : Result.Of(Errno.BadAddress);
    }

    private static ulong Refused(Status status) => Result.Of(status switch
    {
        Status.BadCapability or Status.Denied => Errno.NotPermitted,
        Status.Busy or Status.Deadlock => Errno.Busy,
        Status.NoMemory => Errno.NoMemory,
        _ => Errno.InputOutput,
    });
}
