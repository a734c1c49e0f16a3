using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Attacks;
using Exclaves.Cli;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Runs a shell script in a freshly booted machine, as `exclave run` does.</summary>
internal static class Guest
{
    public static readonly MachineSpec Usual = new();

    private static readonly Session Session = new(Workspace.Find(), new Screen { IsQuiet = true });

    public static async Task<GuestResult> Run(MachineSpec spec, string script, int seconds = 120, Action<string>? alter = null)
    {
        GuestPackages packages = GuestPackages.TryOpen(Session.Workspace)
            ?? throw new InvalidOperationException("The guest's packages are not there: run `./exclave setup` first.");
        using MemoryStream output = new();
        using MemoryStream errors = new();
        GuestOutcome outcome = await Session.Run(
            packages, spec, ["sh", "-c", script], TimeSpan.FromSeconds(seconds), output, errors, CancellationToken.None, alter);
        return new GuestResult(outcome, output.ToArray(), Encoding.UTF8.GetString(errors.ToArray()), await File.ReadAllTextAsync(outcome.ConsoleLog));
    }

    /// <summary>What `exclave attack` does.</summary>
    public static Task<(IReadOnlyList<AttackVerdict> Verdicts, IReadOnlyList<string> Faults)> Attack(IReadOnlyList<AttackRow> rows) => AttackCommand.RunSuite(
        Session, GuestPackages.TryOpen(Session.Workspace)!, rows, "", CancellationToken.None);

    /// <summary>Runs a script that must end with status 0; answers what it printed.</summary>
    public static async Task<string> Require(MachineSpec spec, string script, int seconds = 120)
    {
        GuestResult result = await Run(spec, script, seconds);
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure} status {result.Outcome.ExitStatus}\n{result.Text}\n{result.Errors}");
        return result.Text;
    }
}
