using System;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Build;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Terminal;
using Exclaves.Templates.Tests;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>Conclaves in .NET that are not of the demo system.</summary>
public class ConclaveTests
{
    /// <summary>What `exclave run --add` does with a project outside this repository.</summary>
    [Fact]
    public async Task AConclaveFromTheTemplateAnswersLinux()
    {
        using TemplateProject project = await TemplateProject.Create("Notary");
        string system = Path.Combine(project.Folder, "system.json");
        await new Builder(Workspace.Find(), new Screen { IsQuiet = true }).Publish(SystemAddition.Read(system), CancellationToken.None);
        GuestResult result = await Guest.Run(Guest.Usual with { Addition = system }, "notary-client hello world && ! notary-client");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}");
        Assert.Matches("^tag: [0-9A-F]{64}\nit is genuine\n$", result.Text);
        Assert.Contains("notary-client: there is no text to seal", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConclaveCallsAnotherComponent()
    {
        MachineSpec spec = Guest.Usual with { Addition = "tests/ExclaveKit.Stress/stress.json" };
        await Guest.Require(spec, "exclave-guest invoke --service a4c70d52-6e1f-4b83-9d2a-58f3e0b17c96 --operation 6");
    }

    [Fact]
    public async Task WhatAConclaveDoesNotHaveIsAnExceptionAtOnce()
    {
        MachineSpec spec = Guest.Usual with { Addition = "tests/ExclaveKit.Stress/stress.json" };
        GuestResult result = await Guest.Run(spec, "exclave-guest invoke --service a4c70d52-6e1f-4b83-9d2a-58f3e0b17c96 --operation 3 && exclavectl log --source Stress");
        Assert.True(result.Outcome.ExitStatus == 0, $"{result.Outcome.Failure}\n{result.Text}\n{result.Errors}\n{result.Console}");
        Assert.Contains("absent: File.ReadAllText: DirectoryNotFoundException", result.Text, StringComparison.Ordinal);
        Assert.Contains("absent: Socket: ", result.Text, StringComparison.Ordinal);
        Assert.Contains("absent: Process.Start: FileNotFoundException", result.Text, StringComparison.Ordinal);

        // What it is and what to do instead, once, for the operator and for whoever reads the log.
        foreach (string where in (string[])[result.Console, result.Text])
        {
            Assert.Single(Regex.Matches(where, @"Stress: exclavekit: no files here \(\w+\): .*SharedBuffer"));
            Assert.Single(Regex.Matches(where, @"Stress: exclavekit: no network here \(\w+\): .*\(Tightbeam\)"));
        }

        Assert.DoesNotContain("unknown call", result.Console, StringComparison.Ordinal);
    }
}
