using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Microsoft.Extensions.Logging;

namespace Exclaves.Kit;

/// <summary>Makes a record of each message.</summary>
internal sealed class ConclaveLogger(string category, LogLevel least, Action<LogSeverity, LogMessage> write) : ILogger
{
    private const string TemplateKey = "{OriginalFormat}";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        LogMessage message = new LogMessage().Public(category).Public(": ");
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values && TemplateOf(values) is { } template)
        {
            LogTemplate.Fill(message, template, values);
        }
        else
        {
            message.Private(formatter(state, exception));
        }

        if (exception is not null)
        {
            message.Public($" [{exception.GetType()}: ").Private(exception.Message).Public("]");
        }

        // Theirs begin with Trace = 0, ours with None.
        write((LogSeverity)((int)logLevel + 1), message);
    }

    private static string? TemplateOf(IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        // It is the last one, as a rule.
        for (int i = values.Count - 1; i >= 0; i--)
        {
            if (values[i].Key == TemplateKey)
            {
                return values[i].Value as string;
            }
        }

        return null;
    }
}
