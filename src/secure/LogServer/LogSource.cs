using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.LogServer;

/// <summary>A component that writes, and what the book holds of it. Links as in <see cref="LogRecord"/>.</summary>
public struct LogSource
{
    public Name64 Name;
    public int Oldest;
    public int Newest;
    public int Count;
}

[InlineArray(LogState.MaxSources)]
public struct LogSources
{
    private LogSource _first;
}
