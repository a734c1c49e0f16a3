using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Attacks;
using Exclaves.Cli;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Build;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Runs a shell script in a freshly booted machine, as `exclave run` does.</summary>
internal static class Guest
{
    /// <summary>What a person gets.</summary>
    public static readonly MachineSpec Product = new();

    /// <summary>The same with the monitor that checks itself: a difference is a panic, and a failed run.</summary>
    public static readonly MachineSpec Usual = new() { Variant = ImageVariant.Checked };

    private const string Agreement = " entries, agree";

    private static readonly Session Session = new(Workspace.Find(), new Screen { IsQuiet = true });

    public static async Task<GuestResult> Run(MachineSpec spec, string script, int seconds = 120, Action<string>? alter = null)
    {
        GuestPackages packages = GuestPackages.TryOpen(Session.Workspace)
            ?? throw new InvalidOperationException("The guest's packages are not there: run `./exclave setup` first.");
        using MemoryStream output = new();
        using MemoryStream errors = new();
        GuestOutcome outcome = await Session.Run(
            packages, spec, ["sh", "-c", script], TimeSpan.FromSeconds(seconds), output, errors, CancellationToken.None, alter);
        string console = await File.ReadAllTextAsync(outcome.ConsoleLog);
        if (spec.Variant == ImageVariant.Checked && outcome.Failure is null)
        {
            Assert.True(Regex.Count(console, Agreement) == 2, $"The monitor has not checked itself at boot and at the end:\n{console}");
        }

        return new GuestResult(outcome, output.ToArray(), Encoding.UTF8.GetString(errors.ToArray()), console);
    }

    /// <summary>Publishes the projects that a file for `exclave run --add` names.</summary>
    public static Task Publish(string addition) => new Builder(Session.Workspace, new Screen { IsQuiet = true })
        .Publish(SystemAddition.Read(Path.Combine(Session.Workspace.Root, addition)), CancellationToken.None);

    /// <summary>What `exclave attack` does.</summary>
    public static Task<(IReadOnlyList<AttackVerdict> Verdicts, IReadOnlyList<string> Faults)> Attack(IReadOnlyList<AttackRow> rows) => AttackCommand.RunSuite(
        Session, GuestPackages.TryOpen(Session.Workspace)!, rows, "", CancellationToken.None, ImageVariant.Checked);

    /// <summary>Runs a script that must end with status 0; answers what it printed.</summary>
    public static async Task<string> Require(MachineSpec spec, string script, int seconds = 120)
    {
        GuestResult result = await Run(spec, script, seconds);
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure} status {result.Outcome.ExitStatus}: {LastLine(result.Text)}\n{result.Text}\n{result.Errors}");
        return result.Text;
    }

    /// <summary>What a summary that shows one line of a failure shows.</summary>
    private static string LastLine(string text) => text.TrimEnd().Split('\n')[^1];
}
