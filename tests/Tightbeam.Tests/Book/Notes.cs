using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Book;

/// <summary>The notes of one session.</summary>
public sealed class Notes : INotes
{
    private readonly List<byte[]> _notes = [];

    public Result<NoteError> Add(ReadOnlySpan<byte> text, out NoteId note)
    {
        note = new NoteId((uint)_notes.Count);
        if (_notes.Count == 3)
        {
            return NoteError.Full;
        }

        _notes.Add(text.ToArray());
        return NoteError.None;
    }

    public Result<NoteError> Read(NoteId note, Span<byte> text, out int length)
    {
        length = 0;
        if (note.Value >= _notes.Count)
        {
            throw TightbeamException.For(NoteError.Unknown, $"there is no note {note.Value}");
        }

        byte[] kept = _notes[(int)note.Value];
        if (kept.Length > text.Length)
        {
            return Status.TooBig;
        }

        kept.CopyTo(text);
        length = kept.Length;
        return NoteError.None;
    }

    public Status Count(out uint notes)
    {
        notes = (uint)_notes.Count;
        return Status.Ok;
    }
}
