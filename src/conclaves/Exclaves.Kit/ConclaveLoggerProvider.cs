using System;
using Exclaves.Abi;
using Microsoft.Extensions.Logging;

namespace Exclaves.Kit;

/// <summary>ILogger in a conclave: the log of the secure world. Of a message its template is public; a value is private unless it says <see cref="LogPrivacy.AsPublic"/>.</summary>
public sealed class ConclaveLoggerProvider : ILoggerProvider
{
    private readonly LogLevel _least;
    private readonly Action<LogSeverity, LogMessage> _write;

    /// <param name="least">From this level on messages are records.</param>
    /// <param name="write">Where they go; null: <see cref="ConclaveLog"/>.</param>
    public ConclaveLoggerProvider(LogLevel least = LogLevel.Information, Action<LogSeverity, LogMessage>? write = null)
    {
        _least = least;
        _write = write ?? ConclaveLog.Write;
    }

    public ILogger CreateLogger(string categoryName) => new ConclaveLogger(categoryName, _least, _write);

    public void Dispose()
    {
    }
}
