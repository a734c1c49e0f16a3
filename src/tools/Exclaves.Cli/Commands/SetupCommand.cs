using System.CommandLine;
using Exclaves.Cli.Setup;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave setup`: this machine's packages, the guest's packages.</summary>
public static class SetupCommand
{
    public static Command Create(Session session)
    {
        Command command = new("setup", "Installs what this machine lacks and fetches the guest's newest Debian packages");
        command.SetAction(async (_, cancel) =>
        {
            await HostSetup.Run(session.Screen, cancel);
            GuestPackages packages = await GuestPackages.Ensure(session.Workspace, refresh: true, session.Screen, cancel);
            session.Screen.Note($"Ready: guest kernel {packages.KernelRelease}.");
            return ExitCode.Success;
        });
        return command;
    }
}
