using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.XnuProxy.Image;

internal static unsafe class Program
{
    private static ProxyState _state;

    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        // SAFETY: SK maps the page there, read only, and the table of services at the address it names.
        ref StartInfo info = ref Unsafe.AsRef<StartInfo>((void*)startInfo);
        ReadOnlySpan<ServiceEntry> services = new((void*)info.Services, (int)info.ServiceCount);

        // Not the first time when Linux restarted in the middle of a message: then the first that comes is word of that.
        if (!_state.IsInitialized)
        {
            if (SecureCalls.MapMemory(ProxySystem.ScratchBase, 1, MemoryAccess.Read | MemoryAccess.Write) != Status.Ok)
            {
                return;
            }

            _state.Initialize(info.Cookie, services.Length);
            _state.HasMint = Booting<ProxySystem>.HasMint();
        }

        Proxy<ProxySystem>.Run(ref _state, services);
    }
}
