using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Runtime;

/// <summary>Calls another component's Tightbeam interface, by the right to call it that the system description grants: `{ "slot": 4, "endpoint": "Hello" }`.</summary>
/// <remarks>
/// Request and answer lie in the caller's memory, one after the other. A service may call from within its own: the message that it serves stays as it is, also where spans of
/// it are arguments. There are no circles of grants, so nobody waits for himself. Shared buffers and capabilities do not go along.
/// </remarks>
public ref struct PeerTransport : ITransport
{
    private readonly Span<byte> _message;
    private readonly uint _slot;
    private int _answered;

    /// <param name="slot">Where the grant puts the capability.</param>
    /// <param name="message">Room for the longer of request and answer, at a multiple of 8; what does not fit is <see cref="Status.TooBig"/>. No part of the IPC page.</param>
    public PeerTransport(uint slot, Span<byte> message)
    {
        _slot = slot;
        _message = message.Slice(0, Math.Min(message.Length, MessageHeader.MaxBodyBytes));
        _answered = 0;
    }

    public readonly Span<byte> Request => _message;

    public readonly ReadOnlySpan<byte> Response => _message.Slice(0, _answered);

    /// <returns>Also <see cref="Status.PeerDied"/>: the other component ended; it starts anew with the next session that Linux opens with it. <see cref="Status.BadCall"/>: it serves no components.</returns>
    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = 0;
        return attachments.Match(0) && attachments.CapabilitySlot == 0
            ? PeerExchange.Call(new OwnPage(IpcPage.Own), _slot, _message, requestBytes, out _answered)
            : Status.BadArgument;
    }

    private readonly struct OwnPage(IpcPage page) : IMessagePage
    {
        public ref MessageHeader Header => ref page.Header;

        public Span<byte> Body => page.Body;

        public Status Call(uint slot) => SecureCalls.CallEndpoint(slot);
    }
}
