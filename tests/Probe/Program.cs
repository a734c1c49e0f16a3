using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.Probe;

/// <summary>One program, three components: the one that measures and attacks, its peer, and the one that walks.</summary>
internal static unsafe class Program
{
    private const byte FirstOfEcho = (byte)'E';
    private const byte FirstOfWalker = (byte)'W';

    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo, ulong thread)
    {
        // SAFETY: SK maps the page there, read only.
        ref StartInfo info = ref Unsafe.AsRef<StartInfo>((void*)startInfo);
        if (info.Name[0] == FirstOfEcho)
        {
            Echo.Run();
            return;
        }

        if (info.Name[0] == FirstOfWalker)
        {
            ServiceServer.Run<Walker>();
            return;
        }

        if (thread == 0 && Capabilities.Make() != Status.Ok)
        {
            return;
        }

        ServiceServer.Run<ProbeService>();
    }
}
