namespace Exclaves.Book;

/// <summary>Why a note is not kept or not shown; zero is success.</summary>
public enum NoteError : uint
{
    None = 0,
    Full = 1,
    Unknown = 2,
}
