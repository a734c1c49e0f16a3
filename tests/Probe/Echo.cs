using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>The peer: sends back what comes.</summary>
internal static class Echo
{
    /// <summary>Word0 of a message whose answer is put aside first.</summary>
    public const ulong Deferred = 1;
    private const uint Untyped = 3;
    private const uint Reply = 40;

    public static void Run()
    {
        if (SecureCalls.Retype(Untyped, ObjectKind.Reply, 0, Reply, 1) != Status.Ok)
        {
            return;
        }

        IpcPage page = IpcPage.Only;
        Status status = SecureCalls.Receive();
        while (status == Status.Ok)
        {
            bool deferred = page.Header.Word0 == Deferred;
            page.SetReply(Status.Ok, page.Header.Length);
            status = deferred ? Defer() : SecureCalls.ReplyReceive();
        }
    }

    private static Status Defer()
    {
        Status status = SecureCalls.Defer(Reply);
        status = status == Status.Ok ? SecureCalls.ReplyDeferred(Reply) : status;
        return status == Status.Ok ? SecureCalls.Receive() : status;
    }
}
