using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.LogServer;

[InlineArray(LogText.MaxBytes)]
public struct LogBytes
{
    private byte _first;
}

/// <summary>A record in its slot. Links are indices plus one; 0 ends the list.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct LogRecord
{
    public ulong Sequence;
    public ulong Microseconds;
    public LogSeverity Level;
    public ushort Source;
    public ushort TextBytes;

    /// <summary>Neighbours in the order of arrival, and the next one of the same source.</summary>
    public int Older;
    public int Newer;
    public int NextOfSource;
    private readonly int _padding;
    public LogBytes Text;
}
