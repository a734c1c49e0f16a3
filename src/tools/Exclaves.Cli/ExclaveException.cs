using System;

namespace Exclaves.Cli;

/// <summary>What went wrong, in one line for a person, and the exit status that says so to a script.</summary>
public sealed class ExclaveException : Exception
{
    public ExclaveException(string message, int exitCode = Cli.ExitCode.Failure)
        : base(message)
    {
        ExitCode = exitCode;
    }

    public int ExitCode { get; }
}
