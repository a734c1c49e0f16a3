using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>The log: records for LogServer, or lines of the console where the system has none.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    /// <summary>Passes on one line. The message that the program may have in the page stays there.</summary>
    internal void Record(scoped ReadOnlySpan<byte> line, LogSeverity level, LineOrigin origin)
    {
        if (origin == LineOrigin.Kit || _state.HasNoLog) { WriteConsole(line); }

        if (_state.HasNoLog) { return; }

        int mark = origin == LineOrigin.Program ? 1 : 0;
        Span<byte> page = _machine.MessagePage(_thread)[..(MessageHeader.Bytes + mark + line.Length)];
        Span<byte> kept = stackalloc byte[MessageHeader.Bytes + 1 + LogText.MaxBytes];
        page.CopyTo(kept);
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(page);
        header = default;
        header.Label = MessageLabel.Log;
        header.Length = (uint)(mark + line.Length);
        header.Word0 = (ulong)level;
        header.Word1 = _machine.Counter;
        Span<byte> body = page[MessageHeader.Bytes..];
        body[0] = LogText.PrivateStart;
        line.CopyTo(body[mark..]);
        Status status = _machine.Send(ComponentEntry.LogSlot);
        kept[..page.Length].CopyTo(page);
        if (status != Status.BadCapability) { return; }

        _state.HasNoLog = true;
        if (origin != LineOrigin.Kit) { WriteConsole(line); }
    }

    private void WriteConsole(scoped ReadOnlySpan<byte> line) => _machine.Log(line[..Math.Min(line.Length, LogLine.Capacity)]);

    private ulong WriteRecord(ulong buffer, ulong bytes, ulong level)
    {
        if (bytes == 0 || level is 0 or > (ulong)LogSeverity.Critical) { return Result.Of(Errno.InvalidArgument); }

        Span<byte> text = ((Span<byte>)_state.Scratch)[..(int)Math.Min(bytes, LogText.MaxBytes)];
        if (!TryRead(buffer, text)) { return Result.Of(Errno.BadAddress); }

        Record(text, (LogSeverity)level, LineOrigin.Record);
        return bytes;
    }

    /// <summary>What the program has not ended with a new line becomes one.</summary>
    private void FlushLines()
    {
        _state.Output.Flush(in this);
        _state.Errors.Flush(in this);
    }
}
