using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>Imports of kit.S.</summary>
internal static class Kernel
{
    public static Status Call(SecureCall call, ulong a = 0, ulong b = 0, ulong c = 0, ulong d = 0) => (Status)(uint)RawCall((ulong)call, a, b, c, d);

    /// <summary>A thread that enters the handler: its number, or -1.</summary>
    [RuntimeImport("*", "kit_start_thread")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern int StartThread();

    [RuntimeImport("*", "kit_initial_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong InitialAddress();

    [RuntimeImport("*", "kit_signal_return_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong SignalReturnAddress();

    [RuntimeImport("*", "kit_call_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong CallAddress();

    [RuntimeImport("*", "kit_context_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ContextAddress();

    [RuntimeImport("*", "kit_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong RawCall(ulong call, ulong a, ulong b, ulong c, ulong d);
}
