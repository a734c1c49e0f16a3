using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.ExclaveKit;

namespace Exclaves.Kit;

/// <summary>The conclave's own endpoint, for the thread that makes this object: one call of SK answers and receives.</summary>
public sealed unsafe partial class ConclavePort : IMessagePort
{
    private readonly delegate* unmanaged<ulong, ulong, uint> _call;
    private readonly byte* _page;

    public ConclavePort()
    {
        // SAFETY: ExclaveKit fills the two words. Both addresses are good as long as this thread lives.
        ulong* words = stackalloc ulong[PersonalityCall.MessagesBytes / sizeof(ulong)];
        if (SystemCall((nint)PersonalityCall.Messages, words) != 0)
        {
            throw new InvalidOperationException("ExclaveKit gives no message page.");
        }

        _call = (delegate* unmanaged<ulong, ulong, uint>)words[0];
        _page = (byte*)words[1];
    }

    // SAFETY: the page is this thread's, and ExclaveKit leaves it alone.
    private Span<byte> Page => new(_page, MessageHeader.Bytes + MessageHeader.MaxBodyBytes);

    public int Receive(Span<byte> message) => Exchange(SecureCall.Receive, message);

    public int ReplyReceive(Span<byte> message)
    {
        int bytes = MessageHeader.Bytes + (int)MemoryMarshal.AsRef<MessageHeader>(message).Length;
        message[..bytes].CopyTo(Page);
        return Exchange(SecureCall.ReplyReceive, message);
    }

    /// <summary>Sends a message to the endpoint in a slot; header and body of the answer are in its place afterwards. For between two messages, or within one that was copied out of the page.</summary>
    /// <returns>Ok, or why there is no answer.</returns>
    internal Status Call(uint slot, Span<byte> message)
    {
        int bytes = MessageHeader.Bytes + (int)MemoryMarshal.AsRef<MessageHeader>(message).Length;
        message[..bytes].CopyTo(Page);

        // SAFETY: as in Exchange.
        Status status = (Status)_call((ulong)SecureCall.Call, slot);
        if (status == Status.Ok)
        {
            bytes = MessageHeader.Bytes + (int)Math.Min(MemoryMarshal.AsRef<MessageHeader>(Page).Length, MessageHeader.MaxBodyBytes);
            Page[..bytes].CopyTo(message);
        }

        return status;
    }

    private int Exchange(SecureCall call, Span<byte> message)
    {
        // SAFETY: the function is ExclaveKit's. The call is a normal one, in which this thread is in preemptive mode: it waits here while others collect.
        Status status = (Status)_call((ulong)call, 0);
        while (status == Status.Kicked)
        {
            // A sibling has a signal for this thread. The answer is on its way already.
            TakeSignals();
            status = (Status)_call((ulong)SecureCall.Receive, 0);
        }

        if (status != Status.Ok)
        {
            throw new InvalidOperationException($"The secure kernel refused to exchange a message: {status}.");
        }

        int bytes = MessageHeader.Bytes + (int)Math.Min(MemoryMarshal.AsRef<MessageHeader>(Page).Length, MessageHeader.MaxBodyBytes);
        Page[..bytes].CopyTo(message);
        return bytes;
    }

    /// <summary>Any call to ExclaveKit does.</summary>
    private static void TakeSignals()
    {
        // SAFETY: as in the constructor.
        ulong* words = stackalloc ulong[PersonalityCall.MessagesBytes / sizeof(ulong)];
        _ = SystemCall((nint)PersonalityCall.Messages, words);
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, ulong* words);
}
