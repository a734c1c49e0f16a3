namespace Exclaves.Abi;

/// <summary>The text of a log record on its way to LogServer: UTF-8, in which two control characters enclose what is private.</summary>
/// <remarks>LogServer makes it harmless, whatever it holds, and in a production image keeps <see cref="Redacted"/> in place of each private part (docs/decisions/0015).</remarks>
public static class LogText
{
    /// <summary>What does not fit is cut off.</summary>
    public const int MaxBytes = 472;

    public const byte PrivateStart = 0x0E;

    /// <summary>Without it the rest of the text is private.</summary>
    public const byte PrivateEnd = 0x0F;

    public static System.ReadOnlySpan<byte> Redacted => "<private>"u8;
}
