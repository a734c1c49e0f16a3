using System;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>The peer: sends back what comes, until it shall end.</summary>
internal static class Echo
{
    /// <summary>Word0 of a message whose answer is put aside first.</summary>
    public const ulong Deferred = 1;
    private const uint Untyped = 3;
    private const uint Reply = 40;

    /// <summary>Body of a peer's message that has no answer.</summary>
    public static ReadOnlySpan<byte> End => "end"u8;

    public static void Run()
    {
        if (SecureCalls.Retype(Untyped, ObjectKind.Reply, 0, Reply, 1) != Status.Ok)
        {
            return;
        }

        // The loop is measured (ipc.call_reply): one comparison is what the end of it may cost.
        IpcPage page = IpcPage.Only;
        ref MessageHeader header = ref page.Header;
        Status status = SecureCalls.Receive();
        while (status == Status.Ok && (header.Label != MessageLabel.Peer || !IsEnd(page)))
        {
            bool deferred = header.Word0 == Deferred;
            page.SetReply(Status.Ok, header.Length);
            status = deferred ? Defer() : SecureCalls.ReplyReceive();
        }
    }

    private static bool IsEnd(IpcPage page) =>
        page.Header.Length == (uint)End.Length && page.Body.Slice(0, End.Length).SequenceEqual(End);

    private static Status Defer()
    {
        Status status = SecureCalls.Defer(Reply);
        status = status == Status.Ok ? SecureCalls.ReplyDeferred(Reply) : status;
        return status == Status.Ok ? SecureCalls.Receive() : status;
    }
}
