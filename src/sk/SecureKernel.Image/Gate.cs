using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel.Image;

/// <summary>Six registers that go through the gate: Linux's x0..x3 on the way out, a request on the way in.</summary>
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
    [RuntimeImport("*", "sk_gate_return")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Return(ref GateFrame frame);

    [RuntimeImport("*", "sk_gate_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern GateStatus Call(GateCall call, ulong x1, ulong x2, ulong x3);

    [RuntimeImport("*", "sk_run_user")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern uint RunUser(ref UserContext context, ulong translationBase, ulong stateBits);
}
