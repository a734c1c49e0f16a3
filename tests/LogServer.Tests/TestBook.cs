using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;

namespace Exclaves.LogServer.Tests;

internal sealed record LogLine(ulong Sequence, ulong Microseconds, LogSeverity Level, string Source, string Text);

/// <summary>A book with components c1, c2 ...</summary>
internal sealed class TestBook
{
    private const ulong Frequency = 62_500_000;

    private readonly LogRecord[] _slots;
    private LogState _state;

    public TestBook(int slots)
    {
        _slots = new LogRecord[slots];
        for (int i = 0; i < LogState.MaxSources; i++)
        {
            Encoding.ASCII.GetBytes($"c{i + 1}").CopyTo((Span<byte>)_state.Sources[i].Name);
        }
    }

    public ulong Now { get; set; } = Frequency;

    public bool Redacts
    {
        init => _state.Redacts = value;
    }

    public string Memory => Encoding.Latin1.GetString(MemoryMarshal.AsBytes<LogRecord>(_slots));

    private LogBook Book => new(ref _state, _slots);

    public Status Say(ulong badge, LogSeverity level, string text, ulong ticks = 0) =>
        Send(new MessageHeader { Badge = badge, Length = (uint)Encoding.UTF8.GetByteCount(text), Word0 = (ulong)level, Word1 = ticks }, text);

    public Status Send(in MessageHeader header, string text) => Book.Accept(in header, Encoding.UTF8.GetBytes(text), Now, Frequency);

    public Status TryRead(ulong after, LogSeverity least, Span<byte> room, out int bytes, out ulong last, out ulong lost) =>
        Book.Read(after, least, room, out bytes, out last, out lost);

    public (ulong Last, ulong Lost) ReadAfter(ulong after, LogSeverity least, int room, out List<LogLine> lines)
    {
        byte[] output = new byte[room];
        Status status = TryRead(after, least, output, out int bytes, out ulong last, out ulong lost);
        if (status != Status.Ok)
        {
            throw new InvalidOperationException($"read: {status}");
        }

        lines = Decode(output.AsSpan(0, bytes));
        return (last, lost);
    }

    public List<LogLine> Read() => Read(out _);

    public List<LogLine> Read(out ulong lost)
    {
        List<LogLine> all = [];
        lost = 0;
        for (ulong at = 0; ;)
        {
            (ulong last, ulong more) = ReadAfter(at, LogSeverity.Trace, 1024, out List<LogLine> lines);
            all.AddRange(lines);
            lost += more;
            if (last == at)
            {
                return all;
            }

            at = last;
        }
    }

    private static List<LogLine> Decode(ReadOnlySpan<byte> bytes)
    {
        List<LogLine> lines = [];
        while (bytes.Length > 0)
        {
            LogEntry entry = MemoryMarshal.Read<LogEntry>(bytes);
            ReadOnlySpan<byte> name = bytes.Slice(LogEntry.Bytes, entry.NameBytes);
            ReadOnlySpan<byte> text = bytes.Slice(LogEntry.Bytes + entry.NameBytes, entry.TextBytes);
            lines.Add(new LogLine(entry.Sequence, entry.Microseconds, entry.Level, Encoding.ASCII.GetString(name), Encoding.UTF8.GetString(text)));
            bytes = bytes[LogEntry.SizeOf(entry.NameBytes, entry.TextBytes)..];
        }

        return lines;
    }
}
