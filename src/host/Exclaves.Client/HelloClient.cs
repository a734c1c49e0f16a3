using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>The service that tests and measures the way in and out.</summary>
public sealed class HelloClient : IDisposable
{
    private const int OutputOffset = HelloTransform.Bytes;

    private readonly TeeSession _session;
    private SharedMemory? _memory;

    private HelloClient(TeeSession session) => _session = session;

    public TeeSession Session => _session;

    public static HelloClient Open(TeeDevice device) => Open(device, ServiceName.Hello);

    /// <summary>Another instance of the same program.</summary>
    public static HelloClient Open(TeeDevice device, ServiceName service)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new HelloClient(device.OpenSession(service));
    }

    public void Null() => _session.Invoke((uint)HelloOperation.Null, "Null", []);

    /// <summary>Has the secure world transform 64 bytes.</summary>
    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, HelloTransform.Bytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, HelloTransform.Bytes);

        _memory ??= SharedMemory.Register(_session.Device, 2 * HelloTransform.Bytes);
        input.CopyTo(_memory.Span);
        Span<TeeParameter> parameters =
        [
            TeeParameter.Memory(_memory, TeeDirection.In, 0, HelloTransform.Bytes),
            TeeParameter.Memory(_memory, TeeDirection.Out, OutputOffset, HelloTransform.Bytes),
        ];
        _session.Invoke((uint)HelloOperation.Transform, "Transform", parameters);
        if (parameters[1].B != HelloTransform.Bytes)
        {
            throw TeeException.Because(
                TeeFailure.BadAnswer, "call Transform of service", _session.Service.ToString(), $"it answered {parameters[1].B} bytes instead of {HelloTransform.Bytes}");
        }

        _memory.Span.Slice(OutputOffset, HelloTransform.Bytes).CopyTo(output);
    }

    /// <summary>What <see cref="Transform"/> must answer, computed here.</summary>
    public static void ExpectedTransform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        for (int i = 0; i < HelloTransform.Bytes / sizeof(ulong); i++)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(input[(i * sizeof(ulong))..]);
            BinaryPrimitives.WriteUInt64LittleEndian(output[(i * sizeof(ulong))..], HelloTransform.Word(word, i));
        }
    }

    /// <summary>Linux's clock as the service learns it by an upcall.</summary>
    public (ulong Seconds, ulong Nanoseconds) Time()
    {
        Span<TeeParameter> parameters = [TeeParameter.Output()];
        _session.Invoke((uint)HelloOperation.Time, "Time", parameters);
        return (parameters[0].A, parameters[0].B);
    }

    public (ulong A, ulong B) Echo(ulong a, ulong b)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(a, b), TeeParameter.Output()];
        _session.Invoke((uint)HelloOperation.Echo, "Echo", parameters);
        return (parameters[1].A, parameters[1].B);
    }

    /// <summary>Keeps the service busy for <paramref name="rounds"/> rounds and gives its sum.</summary>
    public ulong Spin(ulong rounds)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(rounds), TeeParameter.Output()];
        _session.Invoke((uint)HelloOperation.Spin, "Spin", parameters);
        return parameters[1].A;
    }

    /// <summary>Has the service fill, check or drop memory that Linux gives it.</summary>
    /// <returns>Pages that hold what they should, and bytes that Linux gave.</returns>
    public (ulong Pages, ulong Donated) Memory(HelloMemoryAction action, ulong pages = 0)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input((ulong)action, pages), TeeParameter.Output()];
        _session.Invoke((uint)HelloOperation.Memory, "Memory", parameters);
        return (parameters[1].A, parameters[1].B);
    }

    /// <summary>Makes the service fault. Succeeds when the secure world says that it ended.</summary>
    public TeeResult Crash() => _session.TryInvoke((uint)HelloOperation.Crash, []);

    public void Dispose()
    {
        _memory?.Dispose();
        _session.Dispose();
    }
}
