using System.Collections.Generic;

namespace Exclaves.Cli.Panics;

/// <summary>A panic as SPTM reported it (Sptm/PanicText.cs), or the end of a component alone as SK did (SecureKernel/CrashReport.cs).</summary>
/// <param name="IsCrash">Only the component ended.</param>
/// <param name="Component">Who ended: SPTM, SK, or a component.</param>
/// <param name="Registers">Names as in the report, values as printed.</param>
/// <param name="Backtrace">The program counter, then return addresses, innermost first.</param>
/// <param name="Outcome">What happened then.</param>
public sealed record PanicReport(
    bool IsCrash, string Component, string Message, int Cpu, IReadOnlyDictionary<string, ulong> Registers, IReadOnlyList<ulong> Backtrace, string Outcome)
{
    /// <summary>The machine stopped with it.</summary>
    public bool Stopped => Outcome == "the machine stops";
}
