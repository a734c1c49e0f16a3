using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using Exclaves.Cli.Panics;

namespace Exclaves.Cli.Machine;

/// <summary>Reads the guest's console for stages and for signs that it will not go on.</summary>
public sealed partial class ConsoleWatch
{
    /// <summary>Starts the monitor's message when it refuses a machine (Boot.Stop).</summary>
    private const string CannotBoot = "cannot boot: ";

    private readonly List<BootStage> _stages = [];
    private readonly PanicReader _panics = new();

    public IReadOnlyList<BootStage> Stages => _stages;

    /// <summary>Why the guest is lost; null while it is not.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Panics of SPTM, SK or the core, and ends of components alone, in the order in which they were reported.</summary>
    public IReadOnlyList<PanicReport> Panics => _panics.Reports;

    /// <summary>Why secure boot refused the image; null when it did not.</summary>
    public string? NoSecureWorld { get; private set; }

    public string LastLine { get; private set; } = "";

    /// <summary>True when /init has handed over to the command.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Takes one line and the time since QEMU started.</summary>
    public void Take(string line, TimeSpan time)
    {
        if (line.Trim().Length == 0)
        {
            return;
        }

        if (_stages.Count == 0)
        {
            _stages.Add(new BootStage("first output", time));
        }

        LastLine = line.Trim();
        if (StageLine().Match(line) is { Success: true } stage)
        {
            string name = stage.Groups["name"].Value;
            _stages.Add(new BootStage(name, time));
            IsReady |= name == "ready";
        }
        else if (NoSecureWorldLine().Match(line) is { Success: true } refused)
        {
            NoSecureWorld = refused.Groups["why"].Value.Trim();
        }
        else if (line.Contains("Booting Linux on physical CPU", StringComparison.Ordinal))
        {
            _stages.Add(new BootStage("kernel", time));
        }

        if (_panics.Take(line) && Panics[^1] is { Stopped: true } panic)
        {
            Trouble ??= panic.Message.StartsWith(CannotBoot, StringComparison.Ordinal)
                ? "SPTM does not boot this machine: " + panic.Message[CannotBoot.Length..]
                : $"{panic.Component} panicked: {panic.Message}";
        }

        Trouble ??= FindTrouble(line);
    }

    /// <summary>Stages with the time each took, for the log and for people.</summary>
    public string FormatStages()
    {
        List<string> parts = [];
        TimeSpan before = TimeSpan.Zero;
        foreach (BootStage stage in _stages)
        {
            parts.Add($"{stage.Name} +{(stage.Time - before).TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)}");
            before = stage.Time;
        }

        return string.Join(", ", parts) + $" = {before.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)} s";
    }

    private static string? FindTrouble(string line)
    {
        if (PanicLine().Match(line) is { Success: true } panic)
        {
            return $"the guest's kernel panicked: {panic.Groups["why"].Value.Trim()}";
        }

        return StallLine().Match(line) is { Success: true } stall ? $"the guest's kernel reports a stalled CPU: {stall.Value.Trim()}" : null;
    }

    [GeneratedRegex(@"exclave: stage (?<name>\w+) [0-9.]+")]
    private static partial Regex StageLine();

    [GeneratedRegex(@"exclave: no secure world: (?<why>.*)")]
    private static partial Regex NoSecureWorldLine();

    [GeneratedRegex(@"Kernel panic - not syncing: (?<why>.*)")]
    private static partial Regex PanicLine();

    [GeneratedRegex(@"rcu: INFO: \w+ (self-)?detected stalls?.*|watchdog: BUG: soft lockup.*")]
    private static partial Regex StallLine();
}
