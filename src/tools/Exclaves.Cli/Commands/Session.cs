using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Build;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Panics;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Commands;

/// <summary>What every command stands on: set-up and build when needed, an image for the run, the machine.</summary>
public sealed class Session
{
    public Session(Workspace workspace, Screen screen)
    {
        Workspace = workspace;
        Screen = screen;
    }

    public Workspace Workspace { get; }

    public Screen Screen { get; }

    /// <summary>Set-up and build; both cost nothing when nothing is missing or changed.</summary>
    /// <param name="spec">The machine whose system's addition is published as well.</param>
    public async Task<GuestPackages> Prepare(bool build, CancellationToken cancel, MachineSpec? spec = null)
    {
        await HostSetup.Run(Screen, cancel);
        GuestPackages packages = await GuestPackages.Ensure(Workspace, refresh: false, Screen, cancel);
        if (build)
        {
            Builder builder = new(Workspace, Screen);
            await builder.Run(cancel);
            if (spec != null && SystemImage.Addition(Workspace, spec) is { } addition)
            {
                await builder.Publish(addition, cancel);
            }
        }

        return packages;
    }

    /// <summary>Boots a machine with an image made for this one order, and runs the order's command to its end.</summary>
    /// <param name="alter">Changes the finished image before it boots, as an attacker with the disk would.</param>
    public async Task<GuestOutcome> Run(
        GuestPackages packages,
        MachineSpec spec,
        IReadOnlyList<string> command,
        TimeSpan limit,
        Stream output,
        Stream errors,
        CancellationToken cancel,
        Action<string>? alter = null)
    {
        GuestOrder order = GuestOrder.For(spec, command, GuestRun.MakeMarker());
        using RunFolder folder = RunFolder.Take(Workspace);
        SystemImage.Build(Workspace, packages, order, spec, folder.Image);
        alter?.Invoke(folder.Image);
        GuestRun run = new(spec, folder.Image, order.Marker, folder.ConsoleLog)
        {
            CommandLimit = limit,
            BootLimit = spec.CountsInstructions ? TimeSpan.FromSeconds(180) : TimeSpan.FromSeconds(60),
        };
        GuestOutcome outcome = await run.Run(output, errors, cancel);
        string description = SystemImage.Description(Workspace, spec, folder.Path);
        return outcome with { Panic = await PanicFile.Write(Workspace, spec, description, outcome.Console.Panics, folder, cancel) };
    }
}
