namespace Exclaves.Samples.JsonStore;

/// <summary>Why <see cref="IJsonStore"/> refuses.</summary>
public enum StoreError : uint
{
    None = 0,
    NotFound = 1,

    /// <summary>Not JSON, or not what JSON is wanted here.</summary>
    NotJson = 2,

    /// <summary>The documents would have more bytes than there is room for.</summary>
    Full = 3,

    /// <summary>The document would be longer than a call can answer.</summary>
    TooLong = 4,
}
