using System.CommandLine;
using Exclaves.Client;
using Exclaves.Host;

namespace Exclaves.Ctl;

/// <summary>`exclavectl`: looks at the secure world from Linux.</summary>
internal static class Program
{
    public static int Main(string[] arguments) => CommandLineProgram.Run("exclavectl", Commands(), arguments);

    private static RootCommand Commands()
    {
        Option<string?> connect = new("--connect")
        {
            Description = $"Where the secure world is: tee:DEVICE; tee:{TeeDevice.DefaultPath} when left out.",
            Recursive = true,
        };

        return new RootCommand("Looks at the secure world.") { connect, LogCommand.Create(connect) };
    }
}
