using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Testing;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave test`: everything that can be checked without a person in half an hour.</summary>
public static class TestCommand
{
    private const string IsNotSoak = "Category!=Soak";

    public static Command Create(Session session)
    {
        Command command = new("test", "Sets up, builds, and runs all tests: formatting, units, and the real image in QEMU");
        command.SetAction(async (_, cancel) =>
        {
            Stopwatch watch = Stopwatch.StartNew();
            await session.Prepare(build: true, cancel);
            Directory.CreateDirectory(session.Workspace.TestResults);
            TestRunner runner = new(session.Workspace, session.Screen);
            List<SuiteResult> suites = [await CheckFormat(session, cancel)];
            foreach (string project in TestRunner.FindProjects(session.Workspace))
            {
                suites.Add(await runner.Run(project, IsNotSoak, cancel));
            }

            return runner.Report($"exclave test: {Terminal.Screen.Seconds(watch.Elapsed)} in all", suites);
        });
        return command;
    }

    private static async Task<SuiteResult> CheckFormat(Session session, CancellationToken cancel)
    {
        const string Name = "format";
        Stopwatch watch = Stopwatch.StartNew();
        SuiteResult? suite = null;
        await session.Screen.Step("test: " + Name, async () =>
        {
            // Freestanding projects have no framework to analyse against and are skipped by the first run: the second looks at every file's layout.
            string[][] runs = [["format", "Exclaves.slnx", "--no-restore"], ["format", "whitespace", ".", "--folder", "--exclude", "out"]];
            List<FailedTest> failures = [];
            string? trouble = null;
            foreach (string[] run in runs)
            {
                ToolResult result = await Tool.Run("dotnet", [.. run, "--verify-no-changes"], cancel, session.Screen.Detail, session.Workspace.Root);
                List<FailedTest> found = [.. result.Output.Concat(result.Errors)
                    .Where(line => line.Contains("error", StringComparison.Ordinal))
                    .Select(line => new FailedTest("dotnet format", line.Trim()))];
                failures.AddRange(found);
                trouble ??= result.ExitCode != 0 && found.Count == 0 ? $"dotnet format ended with status {result.ExitCode}: {result.LastWords}" : null;
            }

            suite = new SuiteResult(Name, failures.Count == 0 && trouble == null ? 1 : 0, 0, failures, watch.Elapsed, trouble);
            return suite.IsGood ? "clean" : "NOT clean";
        });
        return suite!;
    }
}
