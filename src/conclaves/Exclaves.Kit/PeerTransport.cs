using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Kit;

/// <summary>Calls another component's Tightbeam interface, by the right to call it that the system description grants: `{ "slot": 4, "endpoint": "Hello" }`.</summary>
/// <remarks>One call at a time, on any thread. There are no circles of grants, so nobody waits for himself. Shared buffers and capabilities do not go along.</remarks>
public sealed class PeerTransport : ITransport
{
    [ThreadStatic]
    private static ConclavePort? _port;

    private readonly byte[] _message = new byte[MessageHeader.Bytes + MessageHeader.MaxBodyBytes];
    private readonly uint _slot;
    private int _answered;

    /// <param name="slot">Where the grant puts the capability.</param>
    public PeerTransport(uint slot) => _slot = slot;

    public Span<byte> Request => _message.AsSpan(MessageHeader.Bytes);

    public ReadOnlySpan<byte> Response => _message.AsSpan(MessageHeader.Bytes, _answered);

    /// <returns>Also <see cref="Status.PeerDied"/>: the other component ended; it starts anew with the next session that Linux opens with it. <see cref="Status.BadCall"/>: it serves no components.</returns>
    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = 0;
        if (!attachments.Match(0) || attachments.CapabilitySlot != 0)
        {
            return Status.BadArgument;
        }

        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(_message.AsSpan());
        header = new MessageHeader { Label = MessageLabel.Peer, Length = (uint)requestBytes };
        Status status = (_port ??= new ConclavePort()).Call(_slot, _message);
        status = status == Status.Ok ? header.Status : status;
        _answered = status == Status.Ok ? (int)Math.Min(header.Length, MessageHeader.MaxBodyBytes) : 0;
        return status;
    }
}
