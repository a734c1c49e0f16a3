using System;
using System.Collections.Generic;

namespace Exclaves.Cli.Testing;

/// <summary>What one test project did.</summary>
/// <param name="Trouble">Set when the project gave no results at all.</param>
public sealed record SuiteResult(string Name, int Passed, int Skipped, IReadOnlyList<FailedTest> Failures, TimeSpan Time, string? Trouble = null)
{
    public bool IsGood => Failures.Count == 0 && Trouble == null;

    /// <summary>A project without a single test is not a good one: it was not built, or its filter fits nothing.</summary>
    public SuiteResult OrTrouble() =>
        Passed + Skipped + Failures.Count == 0 && Trouble == null ? this with { Trouble = "not one test ran" } : this;
}
