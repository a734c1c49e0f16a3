namespace Exclaves.Cli.Panics;

/// <summary>An address of a backtrace and what lies there.</summary>
/// <param name="Symbol">Type and method, or the label of assembly; null when nothing is known.</param>
/// <param name="Location">File and line, relative to the repository; null when nothing is known.</param>
public sealed record PanicFrame(ulong Address, string? Symbol, string? Location);
