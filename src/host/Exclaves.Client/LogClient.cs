using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.Interfaces;

namespace Exclaves.Client;

/// <summary>One record of the secure world's log.</summary>
/// <param name="Time">Of the machine's counter.</param>
/// <param name="Source">Name of the component that wrote it, as the secure world knows it.</param>
public sealed record LogReport(ulong Sequence, TimeSpan Time, LogSeverity Level, string Source, string Text);

/// <summary>Reads the log of the secure world, from the oldest record on.</summary>
public sealed class LogClient : IDisposable
{
    private const int Room = 3072;

    private readonly ServiceConnection _connection;
    private readonly byte[] _records = new byte[Room];
    private LogClient<ServiceConnection> _client;
    private ulong _last;

    private LogClient(ServiceConnection connection)
    {
        _connection = connection;
        _client = new LogClient<ServiceConnection>(connection);
    }

    /// <param name="connection">A session of <see cref="ServiceName.Log"/>; it is this client's from now on.</param>
    public static LogClient Over(ServiceConnection connection) => new(connection);

    /// <summary>Number of the newest record there is now.</summary>
    public ulong Newest()
    {
        Read(ulong.MaxValue, LogSeverity.Trace, out _, out ulong last, out _);
        return last;
    }

    /// <summary>Some records that came after those read before; none when there is nothing new.</summary>
    /// <param name="lost">Records that were dropped before they could be read.</param>
    /// <param name="read">Up to here the log has been read now; as before when there is nothing new.</param>
    public IReadOnlyList<LogReport> Read(LogSeverity least, out ulong lost, out ulong read)
    {
        Read(_last, least, out int bytes, out ulong last, out lost);
        _last = last;
        read = last;
        return Decode(_records.AsSpan(0, bytes));
    }

    public void Dispose() => _connection.Dispose();

    internal static IReadOnlyList<LogReport> Decode(ReadOnlySpan<byte> bytes)
    {
        const int TicksPerMicrosecond = 10;
        List<LogReport> reports = [];
        while (bytes.Length >= LogEntry.Bytes)
        {
            LogEntry entry = MemoryMarshal.Read<LogEntry>(bytes);
            int size = LogEntry.SizeOf(entry.NameBytes, entry.TextBytes);
            if (size > bytes.Length)
            {
                break;
            }

            reports.Add(new LogReport(
                entry.Sequence,
                TimeSpan.FromTicks((long)Math.Min(entry.Microseconds, long.MaxValue / TicksPerMicrosecond) * TicksPerMicrosecond),
                entry.Level,
                Encoding.UTF8.GetString(bytes.Slice(LogEntry.Bytes, entry.NameBytes)),
                Encoding.UTF8.GetString(bytes.Slice(LogEntry.Bytes + entry.NameBytes, entry.TextBytes))));
            bytes = bytes[size..];
        }

        return bytes.Length == 0 ? reports : throw TeeException.Because(TeeFailure.BadAnswer, "read", ServiceName.Log.ToString(), "a record is longer than the answer");
    }

    private void Read(ulong after, LogSeverity least, out int bytes, out ulong last, out ulong lost)
    {
        Status status = _client.Read(after, (uint)least, _records, out bytes, out last, out lost);
        if (status != Status.Ok)
        {
            throw _connection.Failure ?? TeeException.Because(TeeFailure.Refused, "read", ServiceName.Log.ToString(), $"it refused with {status}");
        }
    }
}
