using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Runtime;

[module: SkipLocalsInit]

namespace Exclaves.Intruder;

/// <summary>Addresses that assembly knows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Places
{
    public ulong Handler;
    public ulong Steps;
    public ulong Fault;
    public ulong Context;
    public ulong HandlerStack;
}

internal static unsafe class Program
{
    [RuntimeExport("component_main")]
    public static void Main(ulong startInfo)
    {
        Places places = default;
        FindPlaces(ref places);
        _ = Call(places.Handler, places.HandlerStack, places.Context, 0, 0, (ulong)SecureCall.SetPersonality);
        ServiceServer.Run<IntruderService>();
    }

    [RuntimeImport("*", "intruder_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void FindPlaces(ref Places places);

    [RuntimeImport("*", "intruder_step")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong Step(ulong code, ulong x0, ulong x1);

    [RuntimeImport("*", "intruder_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong Call(ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, ulong number);
}

/// <summary>Does what Linux asks for, on behalf of whoever attacks from secure EL0.</summary>
internal readonly unsafe struct IntruderService : IService
{
    private const ulong StepBytes = 16;

    /// <summary>p0 value in: step, its x0; p1 value in: its x1; p2 value out: x0 afterwards, <see cref="ReflectReason"/>; p3 value out: ESR_EL1.</summary>
    private const uint StepOperation = 1;

    /// <summary>p0 value in: number, x0; p1 value in: x1, x2; p2 value out: status.</summary>
    private const uint CallOperation = 2;

    /// <summary>p0 value in: endpoint slot, label; p2 value out: status. A message with that label.</summary>
    private const uint SendOperation = 3;

    /// <summary>p2 value out: address of the code, of a word of data; p3 value out: of a word of constants, of the stack.</summary>
    private const uint WhereOperation = 4;

    private static ulong _data;

    public static uint Open(ref ServiceMessage message) => Tee.Success;

    public static uint Close(ref ServiceMessage message) => Tee.Success;

    public static uint Invoke(ref ServiceMessage message)
    {
        Places places = default;
        Program.FindPlaces(ref places);
        switch (message.Operation)
        {
            case StepOperation:
                ulong value = Program.Step(places.Steps + (message.P0.A * StepBytes), message.P0.B, message.P1.A);
                message.P2.A = value;
                message.P2.B = Volatile.Read(ref *(ulong*)places.Fault);
                message.P3.A = Volatile.Read(ref *(ulong*)(places.Fault + sizeof(ulong)));
                return Tee.Success;
            case CallOperation:
                // A call may write to the IPC page, in which the message lies.
                ServiceMessage kept = message;
                MessageHeader header = IpcPage.Only.Header;
                ulong status = Program.Call(kept.P0.B, kept.P1.A, kept.P1.B, 0, 0, kept.P0.A);
                IpcPage.Only.Header = header;
                kept.P2.A = status;
                message = kept;
                return Tee.Success;
            case SendOperation:
                ServiceMessage own = message;
                MessageHeader ownHeader = IpcPage.Only.Header;
                IpcPage.Only.Header.Label = (MessageLabel)own.P0.B;
                IpcPage.Only.Header.Length = 0;
                ulong sent = Program.Call(own.P0.A, 0, 0, 0, 0, (ulong)SecureCall.Call);
                ulong answered = (ulong)IpcPage.Only.Header.Status;
                IpcPage.Only.Header = ownHeader;
                own.P2.A = sent;
                own.P2.B = answered;
                message = own;
                return Tee.Success;
            case WhereOperation:
                ulong local = 0;
                fixed (ulong* data = &_data)
                {
                    message.P2.A = places.Steps;
                    message.P2.B = (ulong)data;
                }

                fixed (byte* constant = "a constant"u8)
                {
                    message.P3.A = (ulong)constant & ~7ul;
                }

                message.P3.B = (ulong)&local;
                return Tee.Success;
            default:
                return Tee.ErrorNotSupported;
        }
    }
}
