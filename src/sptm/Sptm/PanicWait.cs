using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Parks the thread of Linux whose call panicked: it waits for a supplicant that never answers, and a signal ends it.</summary>
/// <remarks>Every other wait of the driver spins or cannot be killed (tee-abi 1.10, 1.11).</remarks>
public static class PanicWait
{
    /// <summary>Bytes of an RPC argument without parameters (optee_msg_arg).</summary>
    public const int Bytes = 32;

    private const int Result = 20;

    /// <summary>SK names the place, and SK is not believed: borrowed memory, where SK could write as well, and one page.</summary>
    public static bool IsSound(in FrameTable frames, ulong address) =>
        (address & 7) == 0
        && (address & (FrameTable.PageBytes - 1)) <= FrameTable.PageBytes - Bytes
        && frames.TypeOf(address) == FrameType.SkSharedRw;

    /// <summary>Whether a call that leaves the secure world on a CPU is the one to park.</summary>
    public static bool IsInside(in ParkedCall call, uint cpu) => call.RpcArgument != 0 && call.Cpu != 0 && call.Cpu == cpu + 1;

    /// <summary>Whether a call that comes back is the one to park; <paramref name="x0"/> and <paramref name="token"/> (x3) are Linux's.</summary>
    public static bool ComesBack(in ParkedCall call, ulong x0, ulong token) =>
        call.RpcArgument != 0 && call.Token != 0 && call.Token == token && LinuxCalls.FunctionOf(x0) == XnuFunction.ReturnFromRpc;

    public static void Write(Span<byte> argument)
    {
        argument[..Bytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(argument, Tee.RpcPanicWait);
        BinaryPrimitives.WriteUInt32LittleEndian(argument[Result..], Tee.ErrorGeneric);
    }
}
