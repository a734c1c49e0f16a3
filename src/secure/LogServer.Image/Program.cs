using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Machine;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.LogServer.Image;

/// <summary>Takes records from whoever holds its endpoint, and answers XnuProxy, which speaks for Linux.</summary>
internal static class Program
{
    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        if (LogMemory.Map() != Status.Ok)
        {
            _ = SecureCalls.Log("no memory for the log"u8);
            return;
        }

        Status status = SecureCalls.Receive();
        while (true)
        {
            if (status == Status.Ok)
            {
                Serve(IpcPage.Only);
            }

            // A record is sent, not called, as a rule: nobody waits for an answer.
            status = SecureCalls.ReplyReceive();
            status = status == Status.BadState ? SecureCalls.Receive() : status;
        }
    }

    private static void Serve(IpcPage page)
    {
        if (page.Header.Label == MessageLabel.Log)
        {
            page.SetReply(LogMemory.Book.Accept(in page.Header, page.Body, Arm64.ReadCntvctEl0(), Arm64.ReadCntfrqEl0()), 0);
        }
        else if (page.Header.Badge == ComponentEntry.ProxyBadge)
        {
            ServiceServer.Serve<LogService>(page);
        }
        else
        {
            page.SetReply(Status.Denied, 0);
        }
    }
}
