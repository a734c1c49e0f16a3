using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Testing;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave soak`: a machine under every kind of trouble at once, for minutes or days.</summary>
public static class SoakCommand
{
    private const string IsSoak = "Category=Soak";
    /// <summary>Components that derive and revoke, and end in many ways.</summary>
    private const string Probe = "tests/Probe/probe.json";
    private const int DefaultMinutes = 10;
    private const int DefaultCpus = 4;

    /// <summary>Start-up, warm-up, and the end of what is under way.</summary>
    private const int SlackMinutes = 10;

    public static Command Create(Session session)
    {
        MachineOptions machine = new();
        Option<int> minutes = new("--minutes") { Description = "How long the machine is under load", HelpName = "N", DefaultValueFactory = _ => DefaultMinutes };
        minutes.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
            {
                result.AddError("--minutes takes a number from 1 on.");
            }
        });
        Option<int> seed = new("--seed") { Description = "Seed of the random numbers; printed, so that a run can be repeated", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<bool> tests = new("--tests") { Description = "Run the long tests instead (a million calls, ten thousand kills)" };
        Command command = new("soak", "Calls, crashes, kills, stops, donations, revocations, suspends and CPU hotplug at once; in the end every counter must be where it was") { minutes, seed, tests };
        machine.AddTo(command);
        command.SetAction((parsed, cancel) => parsed.GetValue(tests)
            ? RunTests(session, cancel)
            : Run(
                session,
                parsed.GetResult(machine.Cpus) is { Implicit: false } ? machine.Read(parsed) : machine.Read(parsed) with { Cpus = DefaultCpus },
                parsed.GetValue(minutes),
                parsed.GetValue(seed),
                !parsed.GetValue(machine.NoBuild),
                cancel));
        return command;
    }

    private static async Task<int> Run(Session session, MachineSpec spec, int minutes, int seed, bool build, CancellationToken cancel)
    {
        GuestPackages packages = await session.Prepare(build, cancel);
        await using Stream output = new StandardStream(1);
        await using Stream errors = new StandardStream(2);
        string[] command = ["exclave-guest", "soak", "--seconds", (minutes * 60).ToString(CultureInfo.InvariantCulture), "--seed", seed.ToString(CultureInfo.InvariantCulture)];
        GuestOutcome outcome = await session.Run(packages, spec with { Addition = Probe }, command, TimeSpan.FromMinutes(minutes + SlackMinutes), output, errors, cancel);
        foreach (string line in outcome.Panic)
        {
            Screen.Error(line);
        }

        return outcome.RequireExitStatus();
    }

    private static async Task<int> RunTests(Session session, CancellationToken cancel)
    {
        await session.Prepare(build: true, cancel);
        Directory.CreateDirectory(session.Workspace.TestResults);
        TestRunner runner = new(session.Workspace, session.Screen);
        string machine = TestRunner.FindProjects(session.Workspace).Single(path => Path.GetFileNameWithoutExtension(path) == TestRunner.MachineSuite);
        return runner.Report("exclave soak", [await runner.Run(machine, IsSoak, cancel)]);
    }
}
