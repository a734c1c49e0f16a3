using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Attacks;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave attack`: every attack of the catalogue with its control, each from where its attacker would stand.</summary>
public static class AttackCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(240);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(Session session)
    {
        Option<bool> json = new("--json") { Description = "Print an array of objects" };
        Option<string> only = new("--only")
        {
            Description = "Only these: names, starts of names or invariants, separated by commas",
            HelpName = "NAMES",
            DefaultValueFactory = _ => "",
        };
        only.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !AttackCatalogue.All.Any(row => AttackCatalogue.Matches(row, result.Tokens[0].Value)))
            {
                result.AddError($"--only: no attack is named like '{result.Tokens[0].Value}'.");
            }
        });
        Option<bool> noBuild = new("--no-build") { Description = "Use what was built last" };
        Command command = new("attack", "Attacks the secure world in every known way, and shows of each that it would succeed without the defence") { json, only, noBuild };
        command.SetAction((parsed, cancel) => Run(session, parsed.GetValue(json), parsed.GetValue(only)!, !parsed.GetValue(noBuild), cancel));
        return command;
    }

    private static async Task<int> Run(Session session, bool json, string only, bool build, CancellationToken cancel)
    {
        Stopwatch watch = Stopwatch.StartNew();
        GuestPackages packages = await session.Prepare(build, cancel);
        List<AttackRow> rows = [.. AttackCatalogue.All.Where(row => AttackCatalogue.Matches(row, only))];
        (IReadOnlyList<AttackVerdict> verdicts, IReadOnlyList<string> faults) = await RunSuite(session, packages, rows, only, cancel);
        if (json)
        {
            Screen.Result(JsonSerializer.Serialize(verdicts, Indented));
        }
        else
        {
            Report(session, verdicts, watch.Elapsed);
        }

        foreach (string fault in faults)
        {
            Screen.Error(fault);
        }

        return faults.Count == 0 && verdicts.All(verdict => verdict.Passed) ? ExitCode.Success : ExitCode.Failure;
    }

    /// <summary>Boots what the attacks need. Faults are machines that did not come to their end.</summary>
    /// <param name="monitor">What stands in for the product's monitor.</param>
    public static async Task<(IReadOnlyList<AttackVerdict> Verdicts, IReadOnlyList<string> Faults)> RunSuite(
        Session session, GuestPackages packages, IReadOnlyList<AttackRow> rows, string only, CancellationToken cancel, ImageVariant monitor = ImageVariant.Normal)
    {
        List<AttackPart> parts = [];
        List<string> faults = [];
        foreach (AttackBoot boot in AttackBoot.Plan(rows))
        {
            string last = "";
            await session.Screen.Step(boot.Title, async () =>
            {
                int before = parts.Count;
                await using FileStream disk = new(
                    Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.DeleteOnClose);
                disk.SetLength(AttackBoot.DiskBytes);
                MachineSpec spec = boot.Spec(disk.Name);
                spec = boot.Without is null && !spec.CountsInstructions ? spec with { Variant = monitor } : spec;
                GuestOutcome outcome = await session.Run(packages, spec, boot.Command(only), Limit, new LineStream(TakeLine), Stream.Null, cancel, boot.Alter);
                if (outcome.Failure is { } failure)
                {
                    faults.Add($"{boot.Title}: {failure} It was at {(last.Length == 0 ? "its start" : last)}.");
                    return "the machine FAILED";
                }

                int good = parts.Skip(before).Count(part => part.Ok);
                int all = parts.Count - before;
                return good == all ? $"{all} as they must be" : $"{all - good} of {all} NOT as they must be";
            });

            void TakeLine(string line)
            {
                last = line;
                session.Screen.Detail(line);
                if (AttackPart.TryParse(line) is { } part)
                {
                    parts.Add(part);
                }
            }
        }

        return (AttackVerdict.Join(rows, parts), faults);
    }

    private static void Report(Session session, IReadOnlyList<AttackVerdict> verdicts, TimeSpan time)
    {
        session.Screen.Table(
            $"exclave attack: {Screen.Seconds(time)} in all",
            ["", "attack", "by", "attempts", "stopped by", "control"],
            [
                .. verdicts.OrderBy(verdict => verdict.Passed).ThenBy(verdict => verdict.Invariant, StringComparer.Ordinal).Select(verdict => new[]
                {
                    verdict.Passed ? verdict.Invariant : verdict.Invariant + " FAIL",
                    verdict.Name,
                    verdict.Stand,
                    $"{verdict.Attempts}",
                    verdict.StoppedBy,
                    verdict.Control,
                }),
            ]);
        session.Screen.Table(
            "by invariant",
            ["", "attacks", "ways in", "failed"],
            [
                .. verdicts.GroupBy(verdict => verdict.Invariant).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new[]
                {
                    group.Key,
                    $"{group.Count()}",
                    $"{group.Select(verdict => verdict.Mechanism).Distinct().Count()}",
                    $"{group.Count(verdict => !verdict.Passed)}",
                }),
            ]);
        foreach (AttackVerdict verdict in verdicts.Where(verdict => !verdict.Passed))
        {
            Screen.Result($"FAILED {verdict.Name}: {verdict.Problem}");
        }

        int passed = verdicts.Count(verdict => verdict.Passed);
        Screen.Result($"{passed} attacks of {verdicts.Count} were stopped and would have succeeded otherwise.");
    }
}
