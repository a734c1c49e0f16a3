using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel.Image;

/// <summary>Six registers that go through the gate: a status and Linux's x0..x3 on the way out, a request on the way in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GateFrame
{
    public ulong W0;
    public ulong W1;
    public ulong W2;
    public ulong W3;
    public ulong W4;
    public ulong W5;
}

/// <summary>The gate to SPTM and the way to EL0 (gate.S, vectors.S).</summary>
internal static class Gate
{
    private static ulong ReturnTarget => Dispatch.Target(DispatchTable.ReturnToCaller, 0);

    /// <summary>Answers the request of this CPU and waits for the next one.</summary>
    public static void Return(ref GateFrame frame) => RawReturn(ref frame, ReturnTarget);

    /// <summary>A function of SK_BOOTSTRAP.</summary>
    /// <returns>False: refused.</returns>
    public static bool Call(SkFunction function, ulong x0, ulong x1 = 0, ulong x2 = 0) =>
        RawCall(Dispatch.Target(DispatchTable.SkBootstrap, (uint)function), x0, x1, x2) == CallResult.Ok;

    /// <summary>Hands SK's last words over. SPTM does not come back.</summary>
    public static void Panic(ulong record) => RawCall(Dispatch.Target(DispatchTable.Panic, 0), record, 0, 0);

    [RuntimeImport("*", "sk_gate_return")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern void RawReturn(ref GateFrame frame, ulong target);

    [RuntimeImport("*", "sk_gate_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern CallResult RawCall(ulong target, ulong x0, ulong x1, ulong x2);

    [RuntimeImport("*", "sk_run_user")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong RunUser(ref UserContext context, ulong translationBase, ulong stateBits);
}
