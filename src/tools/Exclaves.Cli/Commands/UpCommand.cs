using System;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Panics;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave up`: the guest's console on this terminal.</summary>
public static class UpCommand
{
    public static Command Create(Session session)
    {
        MachineOptions machine = new();
        Command command = new("up", "Boots the machine with a shell on this terminal; ctrl-A x ends it");
        machine.AddTo(command);
        command.SetAction((parsed, cancel) => Run(session, machine.Read(parsed), !parsed.GetValue(machine.NoBuild), cancel));
        return command;
    }

    private static async Task<int> Run(Session session, MachineSpec spec, bool build, CancellationToken cancel)
    {
        GuestPackages packages = await session.Prepare(build, cancel, spec);
        bool isTerminal = !Console.IsInputRedirected && !Console.IsOutputRedirected;
        using RunFolder folder = RunFolder.Take(session.Workspace);
        GuestOrder order = GuestOrder.For(spec, [], "") with { Terminal = isTerminal ? (Console.WindowHeight, Console.WindowWidth) : null };
        SystemImage.Build(session.Workspace, packages, order, spec with { Append = "quiet " + spec.Append }, folder.Image);
        session.Screen.Note("Starting the machine: `exit` in its shell switches it off, ctrl-A x ends it at once.");
        string? settings = isTerminal ? await TerminalSettings(cancel) : null;

        // In the terminal's own process group, so that it may read the terminal.
        using Process qemu = Tool.Start(new ProcessStartInfo(QemuCommandLine.Program, QemuCommandLine.ForTerminal(spec, folder.Image, folder.ConsoleLog)));
        try
        {
            await qemu.WaitForExitAsync(cancel);
            PanicReader panics = new();
            foreach (string line in File.ReadLines(folder.ConsoleLog))
            {
                panics.Take(line);
            }

            string description = SystemImage.Description(session.Workspace, spec, folder.Path);
            foreach (string line in await PanicFile.Write(session.Workspace, spec, description, panics.Reports, folder, cancel))
            {
                Screen.Error(line);
            }

            return qemu.ExitCode == 0
                ? ExitCode.Success
                : throw new ExclaveException($"QEMU ended with status {qemu.ExitCode}. Console log: {folder.ConsoleLog}", ExitCode.Machine);
        }
        finally
        {
            if (!qemu.HasExited)
            {
                qemu.Kill(entireProcessTree: true);
            }

            // QEMU puts the terminal back itself, but not when it is killed.
            if (settings != null)
            {
                using Process restore = Tool.Start(new ProcessStartInfo("stty", [settings]));
                await restore.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private static async Task<string?> TerminalSettings(CancellationToken cancel)
    {
        using Process stty = Tool.Start(new ProcessStartInfo("stty", ["-g"]) { RedirectStandardOutput = true });
        string said = await stty.StandardOutput.ReadToEndAsync(cancel);
        await stty.WaitForExitAsync(cancel);
        return stty.ExitCode == 0 ? said.Trim() : null;
    }
}
