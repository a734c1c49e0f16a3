using System;
using System.CommandLine;
using System.Linq;
using Exclaves.Client;

namespace Exclaves.Ctl;

/// <summary>`exclavectl`: looks at the secure world from Linux.</summary>
internal static class Program
{
    private const int ExitRefused = 1;
    private const int ExitUsage = 2;

    public static int Main(string[] arguments)
    {
        ParseResult parsed = Commands().Parse(arguments);
        if (parsed.Errors.Count != 0)
        {
            return Complain(string.Join(" ", parsed.Errors.Select(error => error.Message)), ExitUsage);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (TeeException error)
        {
            return Complain(error.Message, ExitRefused);
        }
    }

    private static RootCommand Commands()
    {
        Option<string?> connect = new("--connect")
        {
            Description = $"Where the secure world is: tee:DEVICE; tee:{TeeDevice.DefaultPath} when left out.",
            Recursive = true,
        };

        return new RootCommand("Looks at the secure world.") { connect, LogCommand.Create(connect) };
    }

    private static int Complain(string message, int exit)
    {
        Console.Error.WriteLine($"exclavectl: {message}");
        return exit;
    }
}
