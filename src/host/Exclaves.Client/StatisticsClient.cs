using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>One component of the secure world as the statistics service shows it.</summary>
public sealed record ComponentReport(string Name, ComponentStatus Status);

/// <summary>Something of the secure world that has a name: a service, with the clients' sessions, or a component.</summary>
public sealed record ResourceReport(string Name, string Domain, ResourceKind Kind, uint Id, uint Connected, Guid? Uuid);

/// <summary>Reads the secure world's counters and its table of components.</summary>
public sealed class StatisticsClient : IDisposable
{
    private readonly TeeSession _session;
    private readonly SharedMemory _memory;

    private StatisticsClient(TeeSession session, SharedMemory memory)
    {
        _session = session;
        _memory = memory;
    }

    public static StatisticsClient Open(TeeDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        TeeSession session = device.OpenSession(ServiceName.Statistics);
        try
        {
            RequireVersion(session);
            return new StatisticsClient(session, SharedMemory.Register(device, 1024));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>This client's own session and buffer are among what is counted, each time alike.</summary>
    public SystemCounters Counters()
    {
        Span<TeeParameter> parameters = [TeeParameter.Memory(_memory, TeeDirection.Out, 0, 1024)];
        _session.Invoke((uint)StatisticsOperation.Counters, "Counters", parameters);
        return parameters[0].B <= 1024 && SystemCounters.TryDecode(_memory.Span[..(int)parameters[0].B], out SystemCounters? counters)
            ? counters!
            : throw BadAnswer("Counters", parameters[0].B);
    }

    public IReadOnlyList<ComponentReport> Components()
    {
        List<ComponentReport> reports = [];
        int bytes = Unsafe.SizeOf<ComponentStatus>();
        while (true)
        {
            Span<TeeParameter> parameters =
            [
                TeeParameter.Input((ulong)reports.Count),
                TeeParameter.Memory(_memory, TeeDirection.Out, 0, bytes),
            ];
            TeeResult result = _session.TryInvoke((uint)StatisticsOperation.Component, parameters);
            if (result.Code == Tee.ErrorItemNotFound)
            {
                return reports;
            }

            if (!result.Succeeded)
            {
                throw TeeException.FromResult("call Component of service", _session.Service.ToString(), result, opening: false);
            }

            if (parameters[1].B != (ulong)bytes)
            {
                throw BadAnswer("Component", parameters[1].B);
            }

            reports.Add(Decode(_memory.Span[..bytes]));
        }
    }

    /// <summary>Services first, then components.</summary>
    public IReadOnlyList<ResourceReport> Resources()
    {
        List<ResourceReport> reports = [];
        int bytes = Unsafe.SizeOf<ResourceStatus>();
        while (true)
        {
            Span<TeeParameter> parameters = [TeeParameter.Input((ulong)reports.Count), TeeParameter.Memory(_memory, TeeDirection.Out, 0, bytes)];
            TeeResult result = _session.TryInvoke((uint)StatisticsOperation.Resource, parameters);
            if (result.Code == Tee.ErrorItemNotFound)
            {
                return reports;
            }

            if (!result.Succeeded)
            {
                throw TeeException.FromResult("call Resource of service", _session.Service.ToString(), result, opening: false);
            }

            reports.Add(parameters[1].B == (ulong)bytes ? DecodeResource(_memory.Span[..bytes]) : throw BadAnswer("Resource", parameters[1].B));
        }
    }

    /// <summary>The secure world's memory as a whole; <see cref="Components"/> has each one's.</summary>
    public MemoryStatus Memory()
    {
        int bytes = Unsafe.SizeOf<MemoryStatus>();
        Span<TeeParameter> parameters = [TeeParameter.Memory(_memory, TeeDirection.Out, 0, bytes)];
        _session.Invoke((uint)StatisticsOperation.Memory, "Memory", parameters);
        return parameters[0].B == (ulong)bytes ? MemoryMarshal.Read<MemoryStatus>(_memory.Span) : throw BadAnswer("Memory", parameters[0].B);
    }

    /// <summary>How far the secure world has come.</summary>
    public ExclavesStatus Status()
    {
        Span<TeeParameter> parameters = [TeeParameter.Output()];
        _session.Invoke((uint)StatisticsOperation.Status, "Status", parameters);
        return (ExclavesStatus)parameters[0].A;
    }

    public void Dispose()
    {
        _memory.Dispose();
        _session.Dispose();
    }

    internal static ComponentReport Decode(ReadOnlySpan<byte> answer)
    {
        ComponentStatus status = MemoryMarshal.Read<ComponentStatus>(answer);
        return new ComponentReport(Text(status.Name), status);
    }

    internal static ResourceReport DecodeResource(ReadOnlySpan<byte> answer)
    {
        ResourceStatus status = MemoryMarshal.Read<ResourceStatus>(answer);
        Guid? uuid = null;
        if (status.Kind == ResourceKind.Service)
        {
            Span<ulong> words = [status.UuidLow, status.UuidHigh];
            uuid = new Guid(MemoryMarshal.AsBytes(words), bigEndian: true);
        }

        return new ResourceReport(Text(status.Name), Text(status.Domain), status.Kind, status.Id, status.Connected, uuid);
    }

    /// <summary>Before anything else is believed.</summary>
    private static void RequireVersion(TeeSession session)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(StatisticsProtocol.Version), TeeParameter.Output()];
        TeeResult result = session.TryInvoke((uint)StatisticsOperation.Version, parameters);
        if (!result.Succeeded || parameters[1].B != 1)
        {
            string theirs = result.Succeeded ? parameters[1].A.ToString(CultureInfo.InvariantCulture) : "1";
            throw TeeException.Because(
                TeeFailure.BadAnswer, "open service", session.Service.ToString(), $"it speaks version {theirs} of the protocol, this client version {StatisticsProtocol.Version}");
        }
    }

    private static string Text(ReadOnlySpan<byte> name)
    {
        int end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }

    private TeeException BadAnswer(string operation, ulong bytes) =>
        TeeException.Because(
            TeeFailure.BadAnswer, $"call {operation} of service", _session.Service.ToString(), $"an answer of {bytes} bytes is not one this client knows");
}
