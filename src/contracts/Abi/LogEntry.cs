using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>One record as LogServer answers it: this, the source's name, the text, zeros up to a multiple of 8.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct LogEntry
{
    public const int Bytes = 24;

    /// <summary>From 1 on, without gaps as long as nothing was dropped.</summary>
    public ulong Sequence;

    /// <summary>Of the counter that Linux reads too, as microseconds.</summary>
    public ulong Microseconds;
    public LogSeverity Level;
    public ushort NameBytes;
    public ushort TextBytes;

    /// <summary>Bytes of the whole record.</summary>
    public static int SizeOf(int nameBytes, int textBytes) => (Bytes + nameBytes + textBytes + 7) & ~7;
}
