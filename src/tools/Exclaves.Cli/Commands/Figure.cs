namespace Exclaves.Cli.Commands;

/// <summary>One reference figure.</summary>
/// <param name="Aim">What we want, at most; null when no aim is set.</param>
/// <param name="Peer">What the established secure OS needs, in the same emulator.</param>
public sealed record Figure(string Name, double Value, string Unit, double? Aim, double? Peer);
