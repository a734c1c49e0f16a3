using System;
using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Cli.Image;

/// <summary>What the guest shall do once it is up; /init reads it.</summary>
/// <param name="Command">Program and arguments; empty: a shell on the console.</param>
/// <param name="HasShare">Mount the host's folder at /share.</param>
/// <param name="Marker">Ends each stream of the command: nobody can guess it, so no output can look like it.</param>
public sealed record GuestOrder(IReadOnlyList<string> Command, bool HasShare, string Marker)
{
    /// <summary>Size of the terminal, for the shell: a serial line does not tell.</summary>
    public (int Rows, int Columns)? Terminal { get; init; }

    /// <summary>Shell assignments.</summary>
    public string FormatSettings() =>
        $"mode={(Command.Count > 0 ? "run" : "up")}\n"
        + $"share={(HasShare ? 1 : 0)}\n"
        + $"marker={Marker}\n"
        + (Terminal is { } size ? $"rows={size.Rows}\ncolumns={size.Columns}\n" : "");

    /// <summary>A shell script that becomes the command.</summary>
    public string FormatCommand() =>
        Command.Count == 0 ? "exec /bin/sh -l\n" : "exec " + string.Join(' ', Command.Select(Quote)) + "\n";

    private static string Quote(string word) => "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
