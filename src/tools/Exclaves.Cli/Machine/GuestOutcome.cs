using System.Collections.Generic;

namespace Exclaves.Cli.Machine;

/// <summary>How a run of the machine ended.</summary>
/// <param name="ExitStatus">Of the command; null when it did not come to its end.</param>
/// <param name="Failure">Why it did not, in one line; null when it did.</param>
/// <param name="FailureCode">The exit status that goes with the failure.</param>
public sealed record GuestOutcome(int? ExitStatus, string? Failure, int FailureCode, ConsoleWatch Console, string ConsoleLog)
{
    /// <summary>The panic of the secure world in a few lines; none when there was none.</summary>
    public IReadOnlyList<string> Panic { get; init; } = [];

    /// <summary>The command's status, or an error that says why there is none.</summary>
    public int RequireExitStatus() => ExitStatus ?? throw new ExclaveException(Failure!, FailureCode);
}
