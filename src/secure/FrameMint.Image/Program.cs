using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.FrameMint.Image;

/// <summary>Serves <see cref="MessageLabel.Populate"/>, for XnuProxy alone.</summary>
internal static class Program
{
    private static MintState _state;

    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        Status status = SecureCalls.Receive();
        while (true)
        {
            if (status == Status.Ok)
            {
                Serve(IpcPage.Only);
            }

            status = SecureCalls.ReplyReceive();
        }
    }

    private static void Serve(IpcPage page)
    {
        if (page.Header.Label != MessageLabel.Populate)
        {
            page.SetReply(Status.BadCall, 0);
            return;
        }

        if (page.Header.Badge != ComponentEntry.ProxyBadge)
        {
            page.SetReply(Status.Denied, 0);
            return;
        }

        bool isFirst = _state.Stage == ExclavesStatus.NotDefined;
        Status status = Mint<MintSystem>.Populate(ref _state);
        if (isFirst)
        {
            Log.Write(status == Status.Ok ? LogSeverity.Information : LogSeverity.Error, status == Status.Ok ? "ExclaveKit minted"u8 : "ExclaveKit not minted"u8);
        }

        page.SetReply(status, 0);
    }
}
