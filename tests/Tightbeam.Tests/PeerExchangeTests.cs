using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Runtime;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>A freestanding caller's exchange: what the peer sees, what of its answer is believed, and that the message being served comes back, whatever happens.</summary>
public class PeerExchangeTests
{
    private const uint Slot = 7;
    private const int PageBytes = MessageHeader.Bytes + MessageHeader.MaxBodyBytes;

    /// <summary>Answers of every length, also such as overwrite more of the page than the request did.</summary>
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(24, 24, 24)]
    [InlineData(24, 100, 100)]
    [InlineData(100, 24, 128)]
    [InlineData(MessageHeader.MaxBodyBytes, MessageHeader.MaxBodyBytes, MessageHeader.MaxBodyBytes)]
    [InlineData(0, MessageHeader.MaxBodyBytes, MessageHeader.MaxBodyBytes + 1)]
    public void AnAnswerIsCopiedOut(int request, int answer, int room)
    {
        byte[] answered = Bytes(answer, 3);
        (Status status, int bytes, byte[] message, Peer peer) = Exchange(request, room, page => Reply(page, Status.Ok, (uint)answer, answered));
        Assert.Equal((Status.Ok, answer), (status, bytes));
        Assert.Equal(answered, message[..answer]);

        // The peer sees the request alone: nothing of what is being served, no capability, no word.
        Assert.Equal(Slot, peer.Called);
        MessageHeader due = new() { Label = MessageLabel.Peer, Length = (uint)request };
        Assert.Equal(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref due, 1)).ToArray(), peer.Seen[..MessageHeader.Bytes]);
        Assert.Equal(Bytes(request, 2), peer.Seen.AsSpan(MessageHeader.Bytes, request).ToArray());
    }

    [Theory]

    // What came; what the answer says: status, bytes; room.
    [InlineData(Status.PeerDied, Status.PeerDied, Status.PeerDied, 0u, 64)]
    [InlineData(Status.BadCapability, Status.BadCapability, Status.Ok, 24u, 64)]
    [InlineData(Status.BadCall, Status.Ok, Status.BadCall, 24u, 64)]
    [InlineData(Status.TooBig, Status.Ok, Status.Ok, 65u, 64)]
    [InlineData(Status.TooBig, Status.Ok, Status.Ok, (uint)MessageHeader.MaxBodyBytes, 64)]
    [InlineData(Status.BadReply, Status.Ok, Status.Ok, MessageHeader.MaxBodyBytes + 1u, PageBytes)]
    [InlineData(Status.BadReply, Status.Ok, Status.Ok, uint.MaxValue, 64)]
    public void NothingOfARefusedAnswerIsCopiedOut(Status due, Status called, Status said, uint length, int room)
    {
        (Status status, int bytes, byte[] message, _) = Exchange(24, room, page =>
        {
            _ = Reply(page, said, length, Bytes(MessageHeader.MaxBodyBytes, 3));
            return called;
        });
        Assert.Equal((due, 0), (status, bytes));
        Assert.Equal(Bytes(room, 2), message);
    }

    [Theory]
    [InlineData(65, 64)]
    [InlineData(-1, 64)]
    [InlineData(MessageHeader.MaxBodyBytes + 1, PageBytes)]
    public void ARequestThatIsNotThereIsNotSent(int request, int room)
    {
        (Status status, int bytes, _, Peer peer) = Exchange(request, room, _ => Status.Ok);
        Assert.Equal((Status.BadArgument, 0, 0u), (status, bytes, peer.Called));
    }

    private static (Status Status, int Answered, byte[] Message, Peer Peer) Exchange(int request, int room, Func<byte[], Status> answer)
    {
        Peer peer = new(answer);
        byte[] served = Bytes(PageBytes, 1);
        served.CopyTo(peer.Page, 0);
        byte[] message = Bytes(room, 2);
        Status status = PeerExchange.Call(new Page(peer), Slot, message, request, out int answered);
        Assert.Equal(served, peer.Page);
        return (status, answered, message, peer);
    }

    private static Status Reply(byte[] page, Status status, uint length, byte[] body)
    {
        MemoryMarshal.AsRef<MessageHeader>(page.AsSpan()) = new MessageHeader { Label = MessageLabel.Reply, Status = status, Length = length };
        body.CopyTo(page, MessageHeader.Bytes);
        return Status.Ok;
    }

    private static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed class Peer(Func<byte[], Status> answer)
    {
        public byte[] Page { get; } = new byte[PageBytes];

        /// <summary>The page as it was sent.</summary>
        public byte[] Seen { get; private set; } = [];

        /// <summary>The slot that was called; 0 = none.</summary>
        public uint Called { get; private set; }

        public Status Call(uint slot)
        {
            Called = slot;
            Seen = [.. Page];
            return answer(Page);
        }
    }

    private readonly struct Page(Peer peer) : IMessagePage
    {
        public ref MessageHeader Header => ref MemoryMarshal.AsRef<MessageHeader>(peer.Page.AsSpan());

        public Span<byte> Body => peer.Page.AsSpan(MessageHeader.Bytes);

        public Status Call(uint slot) => peer.Call(slot);
    }
}
