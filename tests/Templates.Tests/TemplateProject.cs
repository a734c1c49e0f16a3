using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Tools;

namespace Exclaves.Templates.Tests;

/// <summary>A project that `dotnet new exclave-conclave` made, in a folder that nothing of this repository's settings reaches.</summary>
internal sealed class TemplateProject : IDisposable
{
    private readonly string _temporary = Directory.CreateTempSubdirectory("exclaves-template-").FullName;

    private TemplateProject(string name) => Folder = Path.Combine(_temporary, name);

    public string Folder { get; }

    /// <summary>What the user has installed stays as it is: the templates go to a place of the test's own.</summary>
    public static async Task<TemplateProject> Create(string name)
    {
        Workspace workspace = Workspace.Find();
        TemplateProject project = new(name);
        string[] hive = ["--debug:custom-hive", Path.Combine(project._temporary, "hive")];
        await Tool.Require("dotnet", ["new", "install", Path.Combine(workspace.Root, "templates", "conclave"), .. hive], CancellationToken.None);
        await Tool.Require(
            "dotnet", ["new", "exclave-conclave", "-n", name, "-o", project.Folder, "--exclaves", workspace.Root, .. hive], CancellationToken.None);
        return project;
    }

    /// <summary>Runs `dotnet` in the project's folder.</summary>
    public Task<ToolResult> Run(params IEnumerable<string> arguments) => Tool.Run("dotnet", arguments, CancellationToken.None, folder: Folder);

    public void Dispose() => Directory.Delete(_temporary, recursive: true);
}
