namespace Exclaves.Kit;

/// <summary>Who may read what a conclave logs.</summary>
public static class LogPrivacy
{
    /// <summary>The log of a production image shows this value too: the owner of Linux reads it.</summary>
    public static PublicValue<T> AsPublic<T>(this T value) => new(value);
}
