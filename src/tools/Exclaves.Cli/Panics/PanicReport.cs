using System.Collections.Generic;

namespace Exclaves.Cli.Panics;

/// <summary>A panic as SPTM reported it (Sptm/PanicText.cs).</summary>
/// <param name="Component">Who panicked: SPTM, SK, or a component of the core.</param>
/// <param name="Registers">Names as in the report, values as printed.</param>
/// <param name="Backtrace">The program counter, then return addresses, innermost first.</param>
/// <param name="Outcome">What SPTM did then.</param>
public sealed record PanicReport(
    string Component, string Message, int Cpu, IReadOnlyDictionary<string, ulong> Registers, IReadOnlyList<ulong> Backtrace, string Outcome)
{
    /// <summary>The machine stopped with it.</summary>
    public bool Stopped => Outcome == "the machine stops";
}
