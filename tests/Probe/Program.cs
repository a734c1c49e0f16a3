using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.Probe;

/// <summary>One program, two components: the one that measures, and its peer.</summary>
internal static unsafe class Program
{
    private const byte FirstOfEcho = (byte)'E';

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

        if (thread == 0 && Capabilities.Make() != Status.Ok)
        {
            return;
        }

        ServiceServer.Run<ProbeService>();
    }
}
