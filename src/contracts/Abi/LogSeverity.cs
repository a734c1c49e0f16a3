namespace Exclaves.Abi;

/// <summary>How much a log record matters; the names are those of Microsoft.Extensions.Logging.LogLevel. Zero is none.</summary>
public enum LogSeverity : uint
{
    None = 0,
    Trace = 1,
    Debug = 2,
    Information = 3,
    Warning = 4,
    Error = 5,
    Critical = 6,
}
