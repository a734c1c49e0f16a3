using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Runtime;
using Exclaves.Tightbeam;

namespace Exclaves.LogServer.Image;

/// <summary>What Linux can ask.</summary>
internal readonly struct LogService : IService
{
    public static uint Open(ref ServiceMessage message) => Tee.Success;

    public static uint Close(ref ServiceMessage message) => Tee.Success;

    public static uint Invoke(ref ServiceMessage message)
    {
        if (message.Operation != WireHeader.TeeOperation)
        {
            return Tee.ErrorNotSupported;
        }

        LogReader reader = default;
        return TightbeamServer.Serve<LogReader, LogDispatcher<LogReader>>(ref message, ref reader);
    }
}
