namespace Exclaves.Cli.Testing;

/// <summary>A test that failed, and the first line of why.</summary>
public sealed record FailedTest(string Name, string Message);
