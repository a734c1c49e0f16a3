using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Build;

/// <summary>Builds the solution, the guest's programs and the attack module when a source has changed since the last time.</summary>
public sealed partial class Builder
{
    private static readonly string[] SourceFolders = ["src", "eng", "systems", "samples", "tests"];

    /// <summary>Projects that import GuestProgram.props.</summary>
    private static readonly string[] GuestProjects =
    [
        "src/host/Exclaves.Ctl", "src/host/Exclaves.Sign", "src/host/Exclaves.Guest", "tests/attacks/Exclaves.Attack",
    ];

    private readonly Workspace _workspace;
    private readonly Screen _screen;

    public Builder(Workspace workspace, Screen screen)
    {
        _workspace = workspace;
        _screen = screen;
    }

    private string Stamp => Path.Combine(_workspace.Out, "build.stamp");

    public async Task Run(CancellationToken cancel)
    {
        string sources = DescribeSources(_workspace.Root);
        if (File.Exists(Stamp) && File.ReadAllText(Stamp) == sources && Directory.Exists(_workspace.GuestPrograms))
        {
            return;
        }

        await _screen.Step("build: solution", () => BuildSolution(cancel));
        await _screen.Step("build: guest programs", () => PublishGuestPrograms(cancel));
        await _screen.Step("build: attack module", () => BuildAttackModule(cancel));
        File.WriteAllText(Stamp, sources);
    }

    /// <summary>Publishes the projects of an addition, with the SDK that its own folder asks for.</summary>
    public async Task Publish(SystemAddition addition, CancellationToken cancel)
    {
        foreach (string project in addition.Publish)
        {
            await _screen.Step($"publish: {Path.GetFileName(project)}", async () =>
            {
                ToolResult result = await Tool.Run("dotnet", ["publish", project, "-nologo", "-v", "minimal", "-clp:NoSummary"], cancel, _screen.Detail, addition.Folder);
                if (result.ExitCode != 0)
                {
                    throw new ExclaveException($"{project} does not build: {FirstError(result)}");
                }
            });
        }
    }

    /// <summary>A digest of every source file's name, size and time, so that a file that vanished counts as well.</summary>
    public static string DescribeSources(string root)
    {
        StringBuilder list = new();
        IEnumerable<FileInfo> files = SourceFolders
            .Select(folder => new DirectoryInfo(Path.Combine(root, folder)))
            .Where(folder => folder.Exists)
            .SelectMany(FilesIn)
            .Concat(new DirectoryInfo(root).EnumerateFiles().Where(file => file.Extension is ".props" or ".targets" or ".slnx" or ".json"))
            .OrderBy(file => file.FullName, StringComparer.Ordinal);
        foreach (FileInfo file in files)
        {
            list.Append(file.FullName).Append(' ').Append(file.Length).Append(' ').Append(file.LastWriteTimeUtc.Ticks).Append('\n');
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(list.ToString())));
    }

    private static bool IsOutput(string name) => name is "bin" or "obj" or "TestResults";

    private static IEnumerable<FileInfo> FilesIn(DirectoryInfo folder) =>
        folder.EnumerateFiles().Concat(folder.EnumerateDirectories().Where(inner => !IsOutput(inner.Name)).SelectMany(FilesIn));

    private async Task BuildSolution(CancellationToken cancel)
    {
        string logPath = Path.Combine(_workspace.Out, "build.log");
        Directory.CreateDirectory(_workspace.Out);
        ToolResult result = await Tool.Run(
            "dotnet", ["build", "Exclaves.slnx", "-nologo", "-v", "minimal", "-clp:NoSummary"], cancel, ShowProject, _workspace.Root);
        File.WriteAllLines(logPath, result.Output.Concat(result.Errors));
        if (result.ExitCode != 0)
        {
            throw new ExclaveException($"The solution does not build: {FirstError(result)} (all of it: {_workspace.Relative(logPath)})");
        }
    }

    private static string FirstError(ToolResult result) =>
        result.Output.Concat(result.Errors).FirstOrDefault(line => ErrorLine().IsMatch(line))?.Trim() ?? result.LastWords;

    /// <summary>Static arm64 executables for the machine's Linux: `dotnet publish` puts them into out/guest (GuestProgram.props).</summary>
    private async Task PublishGuestPrograms(CancellationToken cancel)
    {
        foreach (string project in GuestProjects)
        {
            _screen.Detail(Path.GetFileName(project));
            await Tool.Require("dotnet", ["publish", Path.Combine(_workspace.Root, project), "-nologo", "-v", "minimal"], cancel, null, _workspace.Root);
        }
    }

    private Task BuildAttackModule(CancellationToken cancel) => Tool.Require(
        "make",
        ["-C", Path.Combine(_workspace.Root, "tests", "attacks", "module"), "KERNEL_HEADERS=" + _workspace.KernelHeaders],
        cancel,
        _screen.Detail);

    /// <summary>"  Hello.Image -> /…/Hello.dll" tells which project was finished.</summary>
    private void ShowProject(string line)
    {
        int arrow = line.IndexOf(" -> ", StringComparison.Ordinal);
        if (arrow > 0)
        {
            _screen.Detail(line[..arrow].Trim());
        }
    }

    [GeneratedRegex(@"\berror\b.*:|: error ")]
    private static partial Regex ErrorLine();
}
