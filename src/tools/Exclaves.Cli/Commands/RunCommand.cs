using System;
using System.CommandLine;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave run`: one command in the guest, its output and status ours.</summary>
public static class RunCommand
{
    private const int DefaultLimitSeconds = 300;

    public static Command Create(Session session)
    {
        MachineOptions machine = new();
        Option<int> timeout = new("--timeout")
        {
            Description = "Seconds that the command may take",
            HelpName = "S",
            DefaultValueFactory = _ => DefaultLimitSeconds,
        };
        timeout.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
            {
                result.AddError("--timeout takes a number of seconds from 1 on.");
            }
        });
        Argument<string[]> words = new("COMMAND")
        {
            Description = "Program and arguments, after --",
            Arity = ArgumentArity.OneOrMore,
        };
        Command command = new("run", "Boots the machine, runs COMMAND in it as root, and ends with its exit status")
        {
            timeout,
            words,
        };
        machine.AddTo(command);
        command.SetAction((parsed, cancel) => Run(
            session,
            machine.Read(parsed),
            parsed.GetValue(words)!,
            TimeSpan.FromSeconds(parsed.GetValue(timeout)),
            !parsed.GetValue(machine.NoBuild),
            cancel));
        return command;
    }

    private static async Task<int> Run(Session session, MachineSpec spec, string[] words, TimeSpan limit, bool build, CancellationToken cancel)
    {
        GuestPackages packages = await session.Prepare(build, cancel, spec);
        await using Stream output = new StandardStream(1);
        await using Stream errors = new StandardStream(2);
        GuestOutcome outcome = await session.Run(packages, spec, words, limit, output, errors, cancel);
        if (outcome.Console.NoSecureWorld is { } why)
        {
            Screen.Error($"there was no secure world: {why}.");
        }

        foreach (string line in outcome.Panic)
        {
            Screen.Error(line);
        }

        return outcome.RequireExitStatus();
    }
}
