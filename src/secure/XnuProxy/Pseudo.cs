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
            : Statistics(ref state, services, ref message);
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

    private static uint Statistics(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ref ServiceMessage message) => (StatisticsOperation)message.Operation switch
    {
        StatisticsOperation.Counters => Counters(ref state, ref message),
        StatisticsOperation.Component => Component(ref message),
        StatisticsOperation.Version => Version(ref message),
        StatisticsOperation.Resource => Resource(ref state, services, ref message),
        StatisticsOperation.Memory => Memory(ref message),
        StatisticsOperation.Status => Stage(ref state, ref message),
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

        ulong index = message.P0.A;
        return !TryTakeRoom(ref message.P1, Unsafe.SizeOf<ComponentStatus>()) ? Tee.ErrorShortBuffer
            : Ask(ref message, index, out ComponentStatus answer) != Status.Ok ? Tee.ErrorItemNotFound
            : Give(in message.P1, in answer);
    }

    private static uint Version(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        message.P1.A = StatisticsProtocol.Version;
        message.P1.B = message.P0.A == StatisticsProtocol.Version ? 1ul : 0;
        return Tee.Success;
    }

    private static uint Stage(ref ProxyState state, ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueOut)
        {
            return Tee.ErrorBadParameters;
        }

        message.P0.A = (ulong)state.Stage;
        return Tee.Success;
    }

    private static uint Resource(ref ProxyState state, ReadOnlySpan<ServiceEntry> services, ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.ValueIn || message.P1.Kind != ParameterKind.BufferOut)
        {
            return Tee.ErrorBadParameters;
        }

        ulong index = message.P0.A;
        if (!TryTakeRoom(ref message.P1, Unsafe.SizeOf<ResourceStatus>()))
        {
            return Tee.ErrorShortBuffer;
        }

        bool isService = index < (ulong)services.Length;
        ulong id = isService ? index : index - (ulong)services.Length;
        if (Ask(ref message, isService ? services[(int)index].Component : id, out ComponentStatus component) != Status.Ok)
        {
            return Tee.ErrorItemNotFound;
        }

        ResourceStatus answer = new()
        {
            Name = component.Name,
            Kind = ResourceKind.Component,
            Id = (uint)id,
            Connected = component.State == ComponentState.Running ? 1u : 0,
        };
        SetDomain(ref answer.Domain, in component);
        if (isService)
        {
            ref readonly ServiceEntry service = ref services[(int)index];
            answer.Name = service.Name;
            answer.Kind = ResourceKind.Service;
            answer.Connected = (uint)state.Sessions.CountOf((int)index);
            answer.UuidLow = service.UuidLow;
            answer.UuidHigh = service.UuidHigh;
        }

        return Give(in message.P1, in answer);
    }

    private static uint Memory(ref ServiceMessage message)
    {
        if (message.P0.Kind != ParameterKind.BufferOut)
        {
            return Tee.ErrorBadParameters;
        }

        if (!TryTakeRoom(ref message.P0, Unsafe.SizeOf<MemoryStatus>()))
        {
            return Tee.ErrorShortBuffer;
        }

        MemoryStatus answer = default;
        while (Ask(ref message, answer.Components, out ComponentStatus component) == Status.Ok)
        {
            answer.QuotaBytes += component.UntypedBytes;
            answer.UsedBytes += component.UsedBytes;
            answer.DonatedBytes += component.DonatedBytes;
            answer.Components++;
        }

        Span<ulong> counters = stackalloc ulong[(int)SkCounter.Count];
        if (TSystem.Counters(counters) != Status.Ok)
        {
            return Tee.ErrorGeneric;
        }

        answer.PoolBytes = counters[(int)SkCounter.PoolFrames] * UserLayout.PageBytes;
        return Give(in message.P0, in answer);
    }

    /// <summary>The name comes through the start of the body, where the message lies: keeps it, then puts it back.</summary>
    private static Status Ask(ref ServiceMessage message, ulong index, out ComponentStatus answer)
    {
        ServiceMessage kept = message;
        Status status = TSystem.Component(index > uint.MaxValue ? uint.MaxValue : (uint)index, out answer);
        message = kept;
        return status;
    }

    /// <summary>Says how much a parameter needs; false when it has less.</summary>
    private static bool TryTakeRoom(ref ServiceParameter parameter, int bytes)
    {
        ulong room = parameter.A;
        parameter.A = (ulong)bytes;
        return room >= (ulong)bytes;
    }

    private static uint Give<T>(in ServiceParameter parameter, in T answer) where T : unmanaged
    {
        MemoryMarshal.Write(TSystem.Body[(int)parameter.Offset..], in answer);
        return Tee.Success;
    }

    private static void SetDomain(ref Name96 domain, in ComponentStatus component)
    {
        Span<byte> text = domain;
        if ((component.Flags & ComponentFlags.Core) != 0)
        {
            "org.exclaves.kernel"u8.CopyTo(text);
            return;
        }

        ReadOnlySpan<byte> prefix = "org.exclaves.conclave."u8;
        ReadOnlySpan<byte> name = component.Name;
        prefix.CopyTo(text);
        name.CopyTo(text[prefix.Length..]);
    }
}
