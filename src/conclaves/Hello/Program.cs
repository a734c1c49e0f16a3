using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.Hello;

internal static class Program
{
    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        Log.Write(LogSeverity.Information, "ready"u8);
        ServiceServer.Run<HelloService, HelloPeers>();
    }
}
