using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Runtime;
using Exclaves.Tightbeam;

namespace Exclaves.Hello;

/// <summary>The service that tests and measures the way in and out (Abi.HelloOperation).</summary>
internal readonly struct HelloService : IService
{
    public static uint Open(ref ServiceMessage message) => Tee.Success;

    public static uint Close(ref ServiceMessage message) => Tee.Success;

    public static uint Invoke(ref ServiceMessage message)
    {
        if (message.Operation == WireHeader.TeeOperation)
        {
            HelloCalls calls = default;
            return TightbeamServer.Serve<HelloCalls, HelloDispatcher<HelloCalls>>(ref message, ref calls);
        }

        switch ((HelloOperation)message.Operation)
        {
            case HelloOperation.Null:
                return Tee.Success;
            case HelloOperation.Transform:
                return Transform(ref message);
            case HelloOperation.Time:
                return Time(ref message);
            case HelloOperation.Echo:
                return Echo(ref message);
            case HelloOperation.Spin:
                return Spin(ref message);
            case HelloOperation.Crash:
                Crash();
                return Tee.ErrorGeneric;
            case HelloOperation.Memory:
                return HelloMemory.Serve(ref message);
            default:
                return Tee.ErrorNotSupported;
        }
    }

    private static uint Transform(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.BufferIn || message.P1.Kind != ParameterKind.BufferOut || message.P0.A != HelloTransform.Bytes)
        {
            return Tee.ErrorBadParameters;
        }

        if (message.P1.A < HelloTransform.Bytes)
        {
            message.P1.A = HelloTransform.Bytes;
            return Tee.ErrorShortBuffer;
        }

        ReadOnlySpan<ulong> input = MemoryMarshal.Cast<byte, ulong>(ServiceServer.Buffer(ref message.P0));
        Span<ulong> output = MemoryMarshal.Cast<byte, ulong>(ServiceServer.Buffer(ref message.P1));
        for (int i = 0; i < input.Length; i++)
        {
            output[i] = HelloTransform.Word(input[i], i);
        }

        message.P1.A = HelloTransform.Bytes;
        return Tee.Success;
    }

    private static uint Time(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        Status status = ServiceServer.GetTime(out ulong seconds, out ulong nanoseconds);
        message.P0.A = seconds;
        message.P0.B = nanoseconds;
        return status == Status.Ok ? Tee.Success : Tee.ErrorCommunication;
    }

    private static uint Echo(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        message.P1.A = message.P0.A;
        message.P1.B = message.P0.B;
        return Tee.Success;
    }

    private static uint Spin(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        message.P1.A = HelloTransform.Spin(message.P0.A);
        return Tee.Success;
    }

    private static unsafe void Crash()
    {
        // SAFETY: none, on purpose: page 0 is never mapped, so this ends the component (I11).
        Volatile.Write(ref Unsafe.AsRef<uint>((void*)8), 1);
    }
}
