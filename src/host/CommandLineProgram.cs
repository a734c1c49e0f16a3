using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using Exclaves.Client;

namespace Exclaves.Host;

/// <summary>Main of a program with commands: runs the one that is named, or says on one line why not. Compiled into each such program (GuestProgram.props).</summary>
internal static class CommandLineProgram
{
    /// <summary>The secure world or the service refused, or a check failed.</summary>
    public const int ExitRefused = 1;
    public const int ExitUsage = 2;
    public const int ExitFile = 3;

    /// <param name="isFailure">Exceptions, beside those of the client library and of files, whose message is for the user. All others are defects and end the program as such.</param>
    public static int Run(string name, RootCommand commands, string[] arguments, Func<Exception, bool>? isFailure = null)
    {
        ParseResult parsed = commands.Parse(arguments);
        if (parsed.Errors.Count != 0)
        {
            return Complain(name, string.Join(" ", parsed.Errors.Select(error => error.Message)), ExitUsage);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (IOException error)
        {
            return Complain(name, error.Message, ExitFile);
        }
        catch (Exception error) when (error is TeeException || isFailure?.Invoke(error) == true)
        {
            return Complain(name, error.Message, ExitRefused);
        }
    }

    private static int Complain(string name, string message, int exit)
    {
        Console.Error.WriteLine($"{name}: {message}");
        return exit;
    }
}
