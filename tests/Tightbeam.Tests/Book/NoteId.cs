namespace Exclaves.Book;

/// <summary>Names a note within its session.</summary>
public readonly struct NoteId(uint value)
{
    public uint Value { get; } = value;
}
