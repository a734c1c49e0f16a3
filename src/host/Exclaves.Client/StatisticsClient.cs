using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>One component of the secure world as the statistics service shows it.</summary>
public sealed record ComponentReport(string Name, ComponentStatus Status);

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

    public void Dispose()
    {
        _memory.Dispose();
        _session.Dispose();
    }

    internal static ComponentReport Decode(ReadOnlySpan<byte> answer)
    {
        ComponentStatus status = MemoryMarshal.Read<ComponentStatus>(answer);
        ReadOnlySpan<byte> name = status.Name;
        int end = name.IndexOf((byte)0);
        return new ComponentReport(Encoding.UTF8.GetString(end < 0 ? name : name[..end]), status);
    }

    private TeeException BadAnswer(string operation, ulong bytes) =>
        TeeException.Because(
            TeeFailure.BadAnswer, $"call {operation} of service", _session.Service.ToString(), $"an answer of {bytes} bytes is not one this client knows");
}
