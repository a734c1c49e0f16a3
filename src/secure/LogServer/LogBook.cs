using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.LogServer;

/// <summary>The ring of records: bounded, fair to its sources, in the order of arrival.</summary>
public readonly ref struct LogBook
{
    private readonly ref LogState _state;
    private readonly Span<LogRecord> _slots;

    public LogBook(ref LogState state, Span<LogRecord> slots)
    {
        _state = ref state;
        _slots = slots;
    }

    /// <summary>Takes the record that a component sent. Nobody can speak in the name of another: SK sets the badge.</summary>
    /// <param name="counter">Now, ticks of CNTVCT_EL0; a record is no later than that, whatever it says, and no earlier than the one before it.</param>
    public Status Accept(in MessageHeader header, scoped ReadOnlySpan<byte> body, ulong counter, ulong frequency)
    {
        if (header.Badge is 0 or > LogState.MaxSources)
        {
            return Status.Denied;
        }

        LogSeverity level = (LogSeverity)header.Word0;
        if (header.Word0 > (ulong)LogSeverity.Critical || level == LogSeverity.None || header.Length == 0 || header.Length > (uint)body.Length)
        {
            return Status.BadArgument;
        }

        Add((int)header.Badge - 1, level, Microseconds(Math.Min(header.Word1, counter), frequency), body.Slice(0, (int)header.Length));
        return Status.Ok;
    }

    /// <summary>Writes records that came after <paramref name="after"/>, as <c>ILog.Read</c> says.</summary>
    public Status Read(ulong after, LogSeverity least, scoped Span<byte> output, out int bytes, out ulong last, out ulong lost)
    {
        bytes = 0;
        lost = 0;
        last = Math.Min(after, _state.LastSequence);
        for (int link = FirstAfter(after); link != 0; link = _slots[link - 1].Newer)
        {
            ref LogRecord record = ref _slots[link - 1];
            if (record.Level >= least && !TryWrite(in record, output.Slice(bytes), ref bytes))
            {
                return bytes == 0 ? Status.TooBig : Status.Ok;
            }

            lost += record.Sequence - last - 1;
            last = record.Sequence;
        }

        lost += _state.LastSequence - last;
        last = _state.LastSequence;
        return Status.Ok;
    }

    private void Add(int source, LogSeverity level, ulong microseconds, scoped ReadOnlySpan<byte> text)
    {
        int link = _state.Used < _slots.Length ? ++_state.Used : Drop(source);
        ref LogRecord record = ref _slots[link - 1];
        _state.LastMicroseconds = Math.Max(_state.LastMicroseconds, microseconds);
        record.Sequence = ++_state.LastSequence;
        record.Microseconds = _state.LastMicroseconds;
        record.Level = level;
        record.Source = (ushort)source;
        record.TextBytes = (ushort)LogScribe.Write(text, record.Text, _state.Redacts);
        Link(link, ref record);
    }

    private void Link(int link, ref LogRecord record)
    {
        record.Newer = 0;
        record.NextOfSource = 0;
        record.Older = _state.Newest;
        if (_state.Newest == 0)
        {
            _state.Oldest = link;
        }
        else
        {
            _slots[_state.Newest - 1].Newer = link;
        }

        _state.Newest = link;
        ref LogSource source = ref _state.Sources[record.Source];
        if (source.Count++ == 0)
        {
            source.Oldest = link;
        }
        else
        {
            _slots[source.Newest - 1].NextOfSource = link;
        }

        source.Newest = link;
    }

    /// <summary>Frees the slot of the oldest record of the source that has the most, the new record counted; of the writer's own when others have as many.</summary>
    private int Drop(int writer)
    {
        int most = writer;
        int count = _state.Sources[writer].Count + 1;
        for (int i = 0; i < LogState.MaxSources; i++)
        {
            if (_state.Sources[i].Count > count)
            {
                most = i;
                count = _state.Sources[i].Count;
            }
        }

        // A writer with nothing in a full book is never the one with the most: there are more slots than sources.
        ref LogSource source = ref _state.Sources[most];
        int link = source.Oldest;
        ref LogRecord record = ref _slots[link - 1];
        source.Oldest = record.NextOfSource;
        source.Count--;
        if (record.Older == 0)
        {
            _state.Oldest = record.Newer;
        }
        else
        {
            _slots[record.Older - 1].Newer = record.Newer;
        }

        if (record.Newer == 0)
        {
            _state.Newest = record.Older;
        }
        else
        {
            _slots[record.Newer - 1].Older = record.Older;
        }

        return link;
    }

    /// <summary>Looked for from the newest on: who follows the log is near it.</summary>
    private int FirstAfter(ulong sequence)
    {
        int found = 0;
        for (int link = _state.Newest; link != 0 && _slots[link - 1].Sequence > sequence; link = _slots[link - 1].Older)
        {
            found = link;
        }

        return found;
    }

    private bool TryWrite(in LogRecord record, scoped Span<byte> output, ref int bytes)
    {
        ReadOnlySpan<byte> name = _state.Sources[record.Source].Name;
        int nameBytes = name.IndexOf((byte)0);
        name = nameBytes < 0 ? name : name.Slice(0, nameBytes);
        int size = LogEntry.SizeOf(name.Length, record.TextBytes);
        if (size > output.Length)
        {
            return false;
        }

        output = output.Slice(0, size);
        output.Clear();
        LogEntry entry = new()
        {
            Sequence = record.Sequence,
            Microseconds = record.Microseconds,
            Level = record.Level,
            NameBytes = (ushort)name.Length,
            TextBytes = record.TextBytes,
        };
        MemoryMarshal.Write(output, in entry);
        name.CopyTo(output.Slice(LogEntry.Bytes));
        ReadOnlySpan<byte> text = record.Text;
        text.Slice(0, record.TextBytes).CopyTo(output.Slice(LogEntry.Bytes + name.Length));
        bytes += size;
        return true;
    }

    private static ulong Microseconds(ulong ticks, ulong frequency)
    {
        const ulong PerSecond = 1_000_000;
        frequency = Math.Max(frequency, 1);
        return (ticks / frequency * PerSecond) + (ticks % frequency * PerSecond / frequency);
    }
}
