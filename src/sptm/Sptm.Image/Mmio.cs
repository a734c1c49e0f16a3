using System.Runtime.CompilerServices;
using System.Threading;

namespace Exclaves.Sptm.Image;

/// <summary>Device registers and descriptors by physical address; each is one access of the stated width.</summary>
public static unsafe class Mmio
{
    // SAFETY (all): callers name addresses that entry.S maps; EL2's mapping is identity.
    public static uint Read32(ulong address) => Volatile.Read(ref *(uint*)address);

    public static void Write32(ulong address, uint value) => Volatile.Write(ref *(uint*)address, value);

    public static ulong Read64(ulong address) => Volatile.Read(ref *(ulong*)address);

    public static void Write64(ulong address, ulong value) => Volatile.Write(ref *(ulong*)address, value);
}
