using System.IO;

namespace Exclaves.Cli;

/// <summary>Tells why a file could not be read or written, in words.</summary>
public static class DiskErrors
{
    private const int NoSpaceLeft = 28;

    public static bool IsFull(IOException error) => (error.HResult & 0xFFFF) == NoSpaceLeft;

    public static bool IsBrokenPipe(IOException error) => (error.HResult & 0xFFFF) == 32 || error.InnerException is IOException { } inner && IsBrokenPipe(inner);
}
