using System;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>Where a thread's messages lie, and the call that sends the one that lies there.</summary>
internal interface IMessagePage
{
    ref MessageHeader Header { get; }

    Span<byte> Body { get; }

    /// <returns>Ok when an answer lies in the page, whatever it says.</returns>
    Status Call(uint slot);
}

/// <summary>One call of another component, from a page that may hold a message which is being served.</summary>
internal static class PeerExchange
{
    /// <summary>Sends the first <paramref name="requestBytes"/> of <paramref name="message"/>; then the answer is its first <paramref name="answered"/>.</summary>
    /// <remarks>The page is put aside whole and comes back whole, however the call ends: its header tells how much came, not where a service's answer grows,
    /// and how much of it an answer overwrites is for the peer to say.</remarks>
    public static Status Call<TPage>(TPage page, uint slot, scoped Span<byte> message, int requestBytes, out int answered)
        where TPage : struct, IMessagePage
    {
        answered = 0;
        Span<byte> body = page.Body;
        if ((uint)requestBytes > (uint)Math.Min(message.Length, body.Length))
        {
            return Status.BadArgument;
        }

        Span<byte> kept = stackalloc byte[MessageHeader.MaxBodyBytes];
        MessageHeader header = page.Header;
        body.CopyTo(kept);
        message.Slice(0, requestBytes).CopyTo(body);
        page.Header = new MessageHeader { Label = MessageLabel.Peer, Length = (uint)requestBytes };
        Status status = page.Call(slot);
        MessageHeader answer = page.Header;
        if (status == Status.Ok)
        {
            status = answer.Status != Status.Ok ? answer.Status
                : answer.Length > (uint)body.Length ? Status.BadReply
                : answer.Length > (uint)message.Length ? Status.TooBig
                : Status.Ok;
        }

        if (status == Status.Ok)
        {
            answered = (int)answer.Length;
            body.Slice(0, answered).CopyTo(message);
        }

        kept.CopyTo(body);
        page.Header = header;
        return status;
    }
}
