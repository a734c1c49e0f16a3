using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Cli.Tools;

/// <summary>How a program of the build machine ended and what it said.</summary>
public sealed record ToolResult(string Name, int ExitCode, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)
{
    /// <summary>The one line that most likely says why it failed.</summary>
    public string LastWords =>
        Errors.Concat(Output).FirstOrDefault(line => line.StartsWith("E: ", System.StringComparison.Ordinal))?[3..]
        ?? Errors.LastOrDefault(line => line.Trim().Length > 0)
        ?? Output.LastOrDefault(line => line.Trim().Length > 0)
        ?? "it said nothing";
}
