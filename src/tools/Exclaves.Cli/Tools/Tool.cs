using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Exclaves.Cli.Tools;

/// <summary>Runs programs of the build machine.</summary>
public static class Tool
{
    /// <summary>Where <paramref name="name"/> lies on the PATH; null when nowhere.</summary>
    public static string? Find(string name)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Runs to the end. Every line of both streams goes to <paramref name="onLine"/> and into the result.</summary>
    public static async Task<ToolResult> Run(
        string name,
        IEnumerable<string> arguments,
        CancellationToken cancel,
        Action<string>? onLine = null,
        string? folder = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(name, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        using Process process = Start(start);
        process.StandardInput.Close();
        List<string> output = [];
        List<string> errors = [];
        Task readOutput = Pump(process.StandardOutput, output, onLine);
        Task readErrors = Pump(process.StandardError, errors, onLine);
        try
        {
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        await Task.WhenAll(readOutput, readErrors);
        return new ToolResult(name, process.ExitCode, output, errors);
    }

    /// <summary>As <see cref="Run"/>, but a status other than 0 is an <see cref="ExclaveException"/> that names the tool and its last words.</summary>
    public static async Task<ToolResult> Require(
        string name,
        IEnumerable<string> arguments,
        CancellationToken cancel,
        Action<string>? onLine = null,
        string? folder = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        ToolResult result = await Run(name, arguments, cancel, onLine, folder, environment);
        return result.ExitCode == 0
            ? result
            : throw new ExclaveException($"{name} failed with status {result.ExitCode}: {result.LastWords}");
    }

    /// <summary>Starts a process; a program that is not there is an error that names it.</summary>
    public static Process Start(ProcessStartInfo start)
    {
        // .NET would look beside its own executable and in the current folder before the PATH.
        string name = start.FileName;
        start.FileName = name.Contains('/') ? name : Find(name) ?? throw Missing(name, "it is not installed");
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw Missing(name, error.Message);
        }
    }

    private static ExclaveException Missing(string name, string reason)
    {
        string? package = Setup.HostPackages.PackageOf(name);
        string advice = package == null ? "" : $" (Debian package {package}; `./exclave setup` installs what is missing)";
        return new ExclaveException($"'{name}' cannot be run: {reason}{advice}.", ExitCode.MissingTool);
    }

    private static async Task Pump(StreamReader reader, List<string> lines, Action<string>? onLine)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            onLine?.Invoke(line);
        }
    }
}
