using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Exclaves.Toolchain.Tests;

/// <summary>Runs the programs under test and returns what they said.</summary>
internal static class Tool
{
    public static string RepositoryRoot { get; } = typeof(Tool).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(a => a.Key == "RepositoryRoot").Value!;

    public static string Path(params string[] parts) => System.IO.Path.Combine([RepositoryRoot, .. parts]);

    public static (int ExitCode, string Output) Run(TimeSpan limit, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = RepositoryRoot,
        };

        // A test host's own build settings must not reach the build under test.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw new TimeoutException($"{program} ran longer than {limit}. It said:{Environment.NewLine}{output.Result}{errors.Result}");
        }

        return (process.ExitCode, output.Result + errors.Result);
    }

    /// <summary>One case of the Mistake project, with output folders of its own.</summary>
    /// <param name="withRules">Whether the compiler rules look first; without them the gates must hold alone.</param>
    public static (int ExitCode, string Output) BuildCase(string name, string folder, bool withRules = false) => Run(
        TimeSpan.FromMinutes(5),
        "dotnet",
        "build",
        Path("tests", "Toolchain.Tests", "Mistake", "Mistake.csproj"),
        "--no-restore",
        "-nologo",
        "-nodeReuse:false",
        "-p:UseSharedCompilation=false",
        "-p:BuildProjectReferences=false",
        $"-p:RunAnalyzers={withRules}",
        $"-p:Case={name}",
        $"-p:CaseFolder={folder}/");
}
