using System;
using System.Collections.Generic;

namespace Exclaves.Cli.Testing;

/// <summary>What one test project did.</summary>
/// <param name="Trouble">Set when the project gave no results at all.</param>
public sealed record SuiteResult(string Name, int Passed, int Skipped, IReadOnlyList<FailedTest> Failures, TimeSpan Time, string? Trouble = null)
{
    public bool IsGood => Failures.Count == 0 && Trouble == null;
}
