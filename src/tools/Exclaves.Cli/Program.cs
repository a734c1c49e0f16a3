using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli;

/// <summary>Entry point: picks the command, and turns whatever goes wrong into one line and an exit status.</summary>
public static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        using CancellationTokenSource stop = new();
        int signalled = 0;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            signalled = ExitCode.SignalBase + context.Signal switch
            {
                PosixSignal.SIGHUP => 1,
                PosixSignal.SIGINT => 2,
                _ => 15,
            };
            stop.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        try
        {
            Session session = new(Workspace.Find(), new Screen());
            ParseResult parsed = CreateRoot(session).Parse(arguments);
            if (parsed.Errors.Count > 0)
            {
                Screen.Error($"{parsed.Errors[^1].Message} (`exclave {HelpOf(parsed)}--help` tells more)");
                return ExitCode.Usage;
            }

            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, stop.Token);
        }
        catch (OperationCanceledException) when (signalled != 0)
        {
            Screen.Error("interrupted.");
            return signalled;
        }
        catch (ExclaveException error)
        {
            Screen.Error(error.Message);
            return error.ExitCode;
        }
        catch (IOException error) when (DiskErrors.IsBrokenPipe(error))
        {
            return ExitCode.SignalBase + 13;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            bool isFull = error is IOException { } io && DiskErrors.IsFull(io);
            Screen.Error(isFull ? "The disk is full: " + error.Message : error.Message);
            return ExitCode.Failure;
        }
    }

    /// <summary>The command's words without the first, each followed by a space.</summary>
    private static string HelpOf(ParseResult parsed)
    {
        string words = "";
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: not RootCommand } command; result = result.Parent)
        {
            words = command.Command.Name + " " + words;
        }

        return words;
    }

    private static RootCommand CreateRoot(Session session) => new("Builds, runs, tests, attacks and measures the Exclaves system")
    {
        DemoCommand.Create(session),
        AttackCommand.Create(session),
        RunCommand.Create(session),
        UpCommand.Create(session),
        DebugCommand.Create(session),
        BenchCommand.Create(session),
        ImageCommand.Create(session),
        ImageCommand.CreateInspectAlias(session),
        ContractCommand.Create(session),
        TestCommand.Create(session),
        SoakCommand.Create(session),
        SetupCommand.Create(session),
    };
}
