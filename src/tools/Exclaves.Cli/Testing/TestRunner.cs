using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using System.Xml.Linq;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Testing;

/// <summary>Runs the built test projects one after the other: machine tests last, since they want the whole machine.</summary>
public sealed class TestRunner
{
    /// <summary>Tests that boot the image.</summary>
    public const string MachineSuite = "Boot.Tests";

    private const int ShownFailures = 20;

    private static readonly string[] TestFolders = ["samples", "tests"];

    private readonly Workspace _workspace;
    private readonly Screen _screen;

    public TestRunner(Workspace workspace, Screen screen)
    {
        _workspace = workspace;
        _screen = screen;
    }

    /// <summary>Projects by name, in the order in which they run.</summary>
    public static IReadOnlyList<string> FindProjects(Workspace workspace) =>
    [
        .. TestFolders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(workspace.Root, folder), "*.Tests.csproj", SearchOption.AllDirectories))
            .OrderBy(path => Path.GetFileNameWithoutExtension(path) == MachineSuite)
            .ThenBy(path => path, StringComparer.Ordinal),
    ];

    /// <summary>Runs one project's tests that match <paramref name="filter"/>.</summary>
    public async Task<SuiteResult> Run(string project, string filter, CancellationToken cancel)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        string resultPath = Path.Combine(_workspace.TestResults, name + ".trx");
        File.Delete(resultPath);
        Stopwatch watch = Stopwatch.StartNew();
        SuiteResult? suite = null;
        await _screen.Step("test: " + name, async () =>
        {
            ToolResult result = await Tool.Run(
                "dotnet",
                [
                    "test", project, "--no-build", "--filter", filter, "--results-directory", _workspace.TestResults,
                    "--logger", $"trx;LogFileName={name}.trx", "--logger", "console;verbosity=normal",
                ],
                cancel,
                _screen.Detail,
                _workspace.Root);
            await File.WriteAllLinesAsync(Path.Combine(_workspace.TestResults, name + ".log"), result.Output.Concat(result.Errors), cancel);
            suite = Judge(name, resultPath, result, watch.Elapsed);
            return suite.IsGood ? $"{suite.Passed} passed" : suite.Trouble ?? $"{suite.Failures.Count} FAILED, {suite.Passed} passed";
        });
        return suite!;
    }

    /// <summary>The table, what failed, and the closing line that counts.</summary>
    public int Report(string title, IReadOnlyList<SuiteResult> suites)
    {
        _screen.Table(
            title,
            ["suite", "passed", "failed", "skipped", "time"],
            [.. suites.Select(suite => new[] { suite.Name, $"{suite.Passed}", $"{suite.Failures.Count}", $"{suite.Skipped}", Screen.Seconds(suite.Time) })]);
        foreach (SuiteResult suite in suites.Where(suite => !suite.IsGood))
        {
            foreach (FailedTest failure in suite.Failures.Take(ShownFailures))
            {
                Screen.Result($"FAILED {suite.Name}: {failure.Name}: {failure.Message}");
            }

            if (suite.Trouble != null)
            {
                Screen.Result($"FAILED {suite.Name}: {suite.Trouble}");
            }
        }

        int failed = suites.Sum(suite => suite.Failures.Count + (suite.Trouble == null ? 0 : 1));
        int passed = suites.Sum(suite => suite.Passed);
        int skipped = suites.Sum(suite => suite.Skipped);
        Screen.Result($"{passed} passed, {failed} failed" + (skipped > 0 ? $", {skipped} skipped" : ""));
        return failed == 0 && passed > 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private SuiteResult Judge(string name, string resultPath, ToolResult result, TimeSpan time)
    {
        if (File.Exists(resultPath))
        {
            SuiteResult suite = TestResultFile.Read(name, XDocument.Load(resultPath), time).OrTrouble();

            // A crash of the test host leaves a file of what ran until then.
            return result.ExitCode == 0 || !suite.IsGood ? suite : suite with { Trouble = $"the test run ended with status {result.ExitCode}: {result.LastWords}" };
        }

        string log = _workspace.Relative(Path.Combine(_workspace.TestResults, name + ".log"));
        return new SuiteResult(name, 0, 0, [], time, $"the tests did not run: {result.LastWords} (all of it: {log})");
    }
}
