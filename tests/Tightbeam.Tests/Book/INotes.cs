using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Book;

/// <summary>Keeps short notes for whoever opened the session.</summary>
[Tightbeam(id: 0x4E4F_5445, version: 2)]
public interface INotes
{
    [Op(1)]
    Result<NoteError> Add([Utf8, Max(200)] ReadOnlySpan<byte> text, out NoteId note);

    [Op(2, Idempotent = true)]
    Result<NoteError> Read(NoteId note, [Utf8, Max(200)] Span<byte> text, [LengthOf(nameof(text))] out int length);

    [Op(3, Since = 2, Idempotent = true)]
    Status Count(out uint notes);
}
