using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>Services without a component: Linux's device enumeration (tee-abi 1.9) and statistics. They answer in the message body like any other.</summary>
public static class Pseudo<TSystem> where TSystem : struct, IProxySystem
{
    private const uint GetDevices = 0;
    private const uint GetDevicesWithSupplicant = 1;
    private const int UuidBytes = 16;

    public static void Serve(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, int service, MessageCommand command)
    {
        ref ServiceMessage message = ref MemoryMarshal.AsRef<ServiceMessage>(TSystem.Body);
        TSystem.Message.Length = MessageHeader.MaxBodyBytes;
        message.Result = command != MessageCommand.InvokeCommand ? Tee.Success
            : service == BuiltIn.Enumeration ? Enumerate(services, ref message)
            : Statistics(ref state, ref message);
    }

    private static uint Enumerate(ReadOnlySpan<ServiceEntry> services, ref ServiceMessage message)
    {
        if (message.Operation > GetDevicesWithSupplicant || message.P0.Kind != ParameterKind.BufferOut)
        {
            return Tee.ErrorBadParameters;
        }

        ulong needed = 0;
        for (int i = 0; i < services.Length; i++)
        {
            if (services[i].OnBus == 0 || message.Operation != GetDevices)
            {
                continue;
            }

            if (needed + UuidBytes <= message.P0.A)
            {
                Span<byte> to = TSystem.Body.Slice((int)(message.P0.Offset + needed), UuidBytes);
                MemoryMarshal.Write(to, in services[i].UuidLow);
                MemoryMarshal.Write(to[sizeof(ulong)..], in services[i].UuidHigh);
            }

            needed += UuidBytes;
        }

        uint result = needed > message.P0.A ? Tee.ErrorShortBuffer : Tee.Success;
        message.P0.A = needed;
        return result;
    }

    private static uint Statistics(ref ProxyState state, ref ServiceMessage message) => (StatisticsOperation)message.Operation switch
    {
        StatisticsOperation.Counters => Counters(ref state, ref message),
        StatisticsOperation.Component => Component(ref message),
        _ => Tee.ErrorNotSupported,
    };

    private static uint Counters(ref ProxyState state, ref ServiceMessage message)
    {
        const int Counts = 3;
        const int Kernel = (int)SkCounter.Count + (int)SptmCounter.Count;
        const int Words = Counts + Kernel + (int)ProxyCounter.Count;
        if (message.P0.Kind != ParameterKind.BufferOut)
        {
            return Tee.ErrorBadParameters;
        }

        ulong room = message.P0.A;
        message.P0.A = Words * sizeof(ulong);
        if (room < Words * sizeof(ulong))
        {
            return Tee.ErrorShortBuffer;
        }

        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(TSystem.Body.Slice((int)message.P0.Offset, Words * sizeof(ulong)));
        if (TSystem.Counters(words.Slice(Counts, Kernel)) != Status.Ok)
        {
            return Tee.ErrorGeneric;
        }

        words[0] = (ulong)SkCounter.Count;
        words[1] = (ulong)SptmCounter.Count;
        words[2] = (ulong)ProxyCounter.Count;
        Span<ulong> own = words[(Counts + Kernel)..];
        own[(int)ProxyCounter.Sessions] = (ulong)state.Sessions.Count;
        own[(int)ProxyCounter.Registrations] = (ulong)state.Registrations.Count;
        own[(int)ProxyCounter.Requests] = (ulong)state.RequestCount;
        own[(int)ProxyCounter.Malformed] = state.Malformed;
        own[(int)ProxyCounter.BadReplies] = state.BadReplies;
        own[(int)ProxyCounter.Allocations] = (ulong)state.Allocations.Count;
        return Tee.Success;
    }

    private static uint Component(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.BufferOut)
        {
            return Tee.ErrorBadParameters;
        }

        ulong room = message.P1.A;
        uint offset = message.P1.Offset;
        ulong index = message.P0.A;
        message.P1.A = (ulong)Unsafe.SizeOf<ComponentStatus>();
        if (room < (ulong)Unsafe.SizeOf<ComponentStatus>())
        {
            return Tee.ErrorShortBuffer;
        }

        // The name comes through the start of the body, where the message lies: keep it, then put it back.
        ServiceMessage kept = message;
        Status status = TSystem.Component(index > uint.MaxValue ? uint.MaxValue : (uint)index, out ComponentStatus answer);
        message = kept;
        if (status != Status.Ok)
        {
            return Tee.ErrorItemNotFound;
        }

        MemoryMarshal.Write(TSystem.Body[(int)offset..], in answer);
        return Tee.Success;
    }
}
