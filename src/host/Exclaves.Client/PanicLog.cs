using System;
using System.IO;

namespace Exclaves.Client;

/// <summary>What the monitor's log says of a panic (/sys/firmware/log, by Linux's module memconsole-coreboot).</summary>
public static class PanicLog
{
    /// <summary>Where Linux shows the log.</summary>
    public const string DefaultPath = "/sys/firmware/log";

    private const string Mark = "[Exclaves] panic in ";

    /// <summary>"component: message" of the last panic; null when there was none, or the log cannot be read.</summary>
    public static string? Read(string path = DefaultPath)
    {
        try
        {
            string text = File.ReadAllText(path);
            int at = text.LastIndexOf(Mark, StringComparison.Ordinal);
            return at < 0 ? null : "panic in " + text[(at + Mark.Length)..].Split('\n', 2)[0].TrimEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
