using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Cli.Machine;

namespace Exclaves.Cli.Image;

/// <summary>What the guest shall do once it is up; /init reads it.</summary>
/// <param name="Command">Program and arguments; empty: a shell on the console.</param>
/// <param name="HasShare">Mount the host's folder at /share.</param>
/// <param name="Marker">Ends each stream of the command: nobody can guess it, so no output can look like it.</param>
public sealed record GuestOrder(IReadOnlyList<string> Command, bool HasShare, string Marker)
{
    /// <summary>The order for a machine: what it has is set up before the command runs.</summary>
    public static GuestOrder For(MachineSpec spec, IReadOnlyList<string> command, string marker) =>
        new(command, spec.Share != null, marker) { HasDisk = spec.HasDiskDriver, NetworkCards = spec.NetworkCards.Count, HasSecureWorld = spec.HasMonitor };

    /// <summary>Load the disk's driver.</summary>
    public bool HasDisk { get; init; }

    /// <summary>Network cards whose drivers to load and addresses to set.</summary>
    public int NetworkCards { get; init; }

    /// <summary>Size of the terminal, for the shell: a serial line does not tell.</summary>
    public (int Rows, int Columns)? Terminal { get; init; }

    /// <summary>False: there is no monitor, so /init does not wait for a TEE.</summary>
    public bool HasSecureWorld { get; init; } = true;

    /// <summary>Shell assignments.</summary>
    public string FormatSettings() =>
        $"mode={(Command.Count > 0 ? "run" : "up")}\n"
        + $"share={(HasShare ? 1 : 0)}\n"
        + $"disk={(HasDisk ? 1 : 0)}\n"
        + $"network={NetworkCards}\n"
        + $"tee={(HasSecureWorld ? 1 : 0)}\n"
        + $"marker={Marker}\n"
        + (Terminal is { } size ? $"rows={size.Rows}\ncolumns={size.Columns}\n" : "");

    /// <summary>A shell script that becomes the command.</summary>
    public string FormatCommand() =>
        Command.Count == 0 ? "exec /bin/sh -l\n" : "exec " + string.Join(' ', Command.Select(Quote)) + "\n";

    private static string Quote(string word) => "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
