using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Contracts;

/// <summary>Has the generator write the contracts of one project's interfaces anew.</summary>
/// <remarks>A generator has no files of its own: it hands the text over as a source of comments, the first of which names the file.</remarks>
public static class ContractUpdate
{
    private const string PlaceMark = "//@ ";
    private const string LineMark = "//| ";
    private const string Breach = "error EXT021: ";

    /// <summary>Projects that declare interfaces say so by an import.</summary>
    public static IEnumerable<string> FindProjects(string root) =>
        new[] { "src", "tests", "samples" }
            .Select(folder => Path.Combine(root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories))
            .Where(project => File.ReadAllText(project).Contains("eng/Tightbeam.props", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    /// <returns>Files that were written because they were missing or different.</returns>
    public static async Task<IReadOnlyList<string>> Run(Workspace workspace, string project, bool mayBreak, CancellationToken cancel)
    {
        string folder = Path.Combine(workspace.Out, "contracts", Path.GetFileNameWithoutExtension(project));
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        ToolResult result = await Tool.Run(
            "dotnet",
            [
                "build", project, "-nologo", "-v", "minimal", "-clp:NoSummary", "-p:LinkConclaves=false",
                "-p:TightbeamContracts=" + (mayBreak ? "break" : "update"), "-p:EmitCompilerGeneratedFiles=true", "-p:CompilerGeneratedFilesOutputPath=" + folder,
            ],
            cancel,
            null,
            workspace.Root);
        string[] breaches = [.. result.Output.Where(line => line.Contains(Breach, StringComparison.Ordinal)).Select(line => Between(line, Breach, " [")).Distinct()];
        if (breaches.Length != 0)
        {
            throw new ExclaveException(string.Join(Environment.NewLine, breaches) + $"{Environment.NewLine}Nothing is written. With --break the contract is, and every program built before ceases to understand the service.");
        }

        string[] handed = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.contract.g.cs", SearchOption.AllDirectories) : [];
        if (handed.Length == 0)
        {
            throw new ExclaveException($"{workspace.Relative(project)} gave no contract: {result.LastWords}");
        }

        return [.. handed.Select(Write).OfType<string>()];
    }

    /// <summary>Writes the contract that <paramref name="handed"/> holds; null when the file has it already.</summary>
    private static string? Write(string handed)
    {
        string[] lines = File.ReadAllLines(handed);
        string file = lines[0][PlaceMark.Length..];
        string text = string.Concat(lines.Where(line => line.StartsWith(LineMark, StringComparison.Ordinal)).Select(line => line[LineMark.Length..] + "\n"));
        if (File.Exists(file) && File.ReadAllText(file) == text)
        {
            return null;
        }

        File.WriteAllText(file, text);
        return file;
    }

    private static string Between(string line, string start, string end)
    {
        string tail = line[(line.IndexOf(start, StringComparison.Ordinal) + start.Length)..];
        int stop = tail.LastIndexOf(end, StringComparison.Ordinal);
        return stop < 0 ? tail : tail[..stop];
    }
}
