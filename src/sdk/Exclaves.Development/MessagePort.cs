using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Kit;

namespace Exclaves.Development;

/// <summary>How one thread of the conclave takes messages from the queue, and answers them.</summary>
internal sealed class MessagePort(MessageQueue queue) : IMessagePort
{
    private Exchange? _current;

    public int Receive(Span<byte> message)
    {
        _current = queue.Take();
        _current.Message.AsSpan(0, _current.Bytes).CopyTo(message);
        return _current.Bytes;
    }

    public int ReplyReceive(Span<byte> message)
    {
        Exchange answered = _current!;
        answered.Bytes = MessageHeader.Bytes + (int)MemoryMarshal.Read<MessageHeader>(message).Length;
        message[..answered.Bytes].CopyTo(answered.Message);
        answered.Answered.SetResult(true);
        return Receive(message);
    }
}
