using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Debugging;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Panics;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave debug`: gdb on a machine that stands before its first instruction.</summary>
public static class DebugCommand
{
    private const string Program = "gdb-multiarch";

    public static Command Create(Session session)
    {
        MachineOptions machine = new();
        Option<string?> component = new("--component") { Description = "Component whose symbols gdb has beside those of SPTM and SK", HelpName = "NAME" };
        Option<FileInfo?> script = new("--commands") { Description = "File with commands for gdb, which ends after them", HelpName = "FILE" };
        script.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<FileInfo?>() is { Exists: false } file)
            {
                result.AddError($"--commands: there is no file '{file}'.");
            }
        });
        Argument<string[]> words = new("COMMAND")
        {
            Description = "Program and arguments that the guest runs, after --; it waits when left out",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new("debug", "Boots the machine under gdb, with the symbols of SPTM, SK and a component") { component, script, words };
        machine.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            RequireDebugger();
            MachineSpec spec = machine.Read(parsed);
            GuestPackages packages = await session.Prepare(!parsed.GetValue(machine.NoBuild), cancel, spec);
            string[] given = parsed.GetValue(words) ?? [];
            return await Run(session, packages, spec, parsed.GetValue(component), parsed.GetValue(script)?.FullName, given.Length == 0 ? ["sleep", "1000000"] : given, null);
        });
        return command;
    }

    /// <summary>Until gdb ends; then the machine ends too.</summary>
    /// <param name="script">Commands, after which gdb ends; null: a person's.</param>
    /// <param name="lines">Gets what gdb says; null: the terminal does.</param>
    public static async Task<int> Run(
        Session session, GuestPackages packages, MachineSpec spec, string? component, string? script, IReadOnlyList<string> words, Action<string>? lines)
    {
        // A socket's path must be short: not in the repository, which may lie deep. Nobody else may enter the folder.
        DirectoryInfo place = Directory.CreateTempSubdirectory("exclave-");
        try
        {
            string socket = Path.Combine(place.FullName, "gdb");
            using RunFolder folder = RunFolder.Take(session.Workspace);
            spec = spec with { DebugSocket = socket };
            GuestOrder order = GuestOrder.For(spec, words, GuestRun.MakeMarker());
            SystemImage.Build(session.Workspace, packages, order, spec, folder.Image);
            IReadOnlyList<LoadedFile> programs = DebugScript.Choose(session.Workspace, spec, SystemImage.Description(session.Workspace, spec, folder.Path), component);
            string start = Path.Combine(place.FullName, "start");
            await File.WriteAllTextAsync(start, DebugScript.Write(session.Workspace, programs, component, socket));

            using CancellationTokenSource stop = new();
            await using FileStream output = File.Create(Path.Combine(folder.Path, "output.log"));
            GuestRun run = new(spec, folder.Image, order.Marker, folder.ConsoleLog) { BootLimit = Timeout.InfiniteTimeSpan, CommandLimit = Timeout.InfiniteTimeSpan };
            Task<GuestOutcome> machine = run.Run(output, output, stop.Token);
            while (!File.Exists(socket))
            {
                if (machine.IsCompleted)
                {
                    throw new ExclaveException((await machine).Failure ?? "The machine ended before gdb could look at it.", ExitCode.Machine);
                }

                await Task.Delay(20);
            }

            session.Screen.Note($"The machine stands before its first instruction: `continue` lets it go on. Console: {session.Workspace.Relative(folder.ConsoleLog)}; the command's output: {session.Workspace.Relative(output.Name)}.");
            IReadOnlyList<string> arguments = ["-q", "-x", start, .. script == null ? (string[])[] : ["-batch", "-x", script]];
            int status = await RunDebugger(arguments, lines);
            await stop.CancelAsync();
            await ((Task)machine).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return status == 0 ? ExitCode.Success : ExitCode.Failure;
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }

    private static void RequireDebugger()
    {
        if (Tool.Find(Program) == null)
        {
            throw new ExclaveException($"'{Program}' cannot be run: it is not installed (apt install {Program}).", ExitCode.MissingTool);
        }
    }

    /// <summary>With a person before it gdb has the terminal, and ctrl-C is for it alone.</summary>
    private static async Task<int> RunDebugger(IReadOnlyList<string> arguments, Action<string>? lines)
    {
        if (lines != null)
        {
            return (await Tool.Run(Program, arguments, CancellationToken.None, lines)).ExitCode;
        }

        using Process debugger = Tool.Start(new ProcessStartInfo(Program, arguments));
        await debugger.WaitForExitAsync(CancellationToken.None);
        return debugger.ExitCode;
    }
}
