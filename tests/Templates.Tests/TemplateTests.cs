using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;
using Xunit;

namespace Exclaves.Templates.Tests;

/// <summary>docs/book/first-conclave.md, as far as the build machine goes: new, test, run, call, and the warning for what is not there.</summary>
public class TemplateTests
{
    [Fact]
    public async Task ANewConclaveBuildsPassesItsTestsAndRunsHere()
    {
        using TemplateProject project = await TemplateProject.Create("Notary");
        string[] files = Directory.GetFiles(project.Folder, "*", SearchOption.AllDirectories);
        foreach (string file in files)
        {
            foreach (string left in new[] { "vault", "EXCLAVES-CLONE", "1CA7F00D", "7d1e9c52" })
            {
                Assert.DoesNotContain(left, Path.GetRelativePath(project.Folder, file) + File.ReadAllText(file), StringComparison.OrdinalIgnoreCase);
            }
        }

        // The client is no part of what the tests need, so `dotnet test` alone would not build it.
        string built = await Require(project, "build", "-nologo", "-p:UseSharedCompilation=false");
        Assert.Contains("0 Warning(s)", built, StringComparison.Ordinal);
        Assert.Contains("Passed:     3", await Require(project, "test", "-nologo", "--no-build"), StringComparison.Ordinal);

        CheckLaunch(project);
        await CallItHere(project);
        await NameAFile(project);
    }

    /// <summary>F5 in an editor: what its files name is what the build has made.</summary>
    private static void CheckLaunch(TemplateProject project)
    {
        string Resolve(JsonNode? path) => ((string)path!).Replace("${workspaceFolder}", project.Folder, StringComparison.Ordinal);
        JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(project.Folder, ".vscode", name)))!;

        JsonNode launch = Read("launch.json")["configurations"]!.AsArray().Single(one => (string?)one!["request"] == "launch")!;
        Assert.Equal("coreclr", (string?)launch["type"]);
        Assert.Equal(Built(project, "Notary", "notary"), Resolve(launch["program"]));
        Assert.True(File.Exists(Resolve(launch["program"])));
        JsonNode task = Read("tasks.json")["tasks"]!.AsArray().Single(one => (string?)one!["label"] == (string?)launch["preLaunchTask"])!;
        Assert.Equal("dotnet", (string?)task["command"]);
        Assert.True(File.Exists(Resolve(task["args"]![1])));
    }

    private static async Task CallItHere(TemplateProject project)
    {
        string socket = Path.Combine(project.Folder, "private", "notary.sock");
        ProcessStartInfo start = new("dotnet", ["run", "--no-build", "--project", "Notary", "--launch-profile", "Development host"])
        {
            WorkingDirectory = project.Folder,
            RedirectStandardError = true,
        };
        start.Environment["EXCLAVE_SOCKET"] = socket;
        using Process conclave = Process.Start(start)!;
        try
        {
            Assert.Contains("NOT protected", await conclave.StandardError.ReadLineAsync(), StringComparison.Ordinal);
            Assert.Contains(socket, await conclave.StandardError.ReadLineAsync(), StringComparison.Ordinal);

            ToolResult call = await project.Run(Built(project, "Notary.Client", "notary-client"), "--connect", "unix:" + socket, "hello");
            Assert.Equal(0, call.ExitCode);
            Assert.Matches("^tag: [0-9A-F]{64}$", call.Output[0]);
            Assert.Equal("it is genuine", call.Output[1]);

            call = await project.Run(Built(project, "Notary.Client", "notary-client"), "--connect", "unix:" + socket);
            Assert.Equal((2, "notary-client: there is no text to seal"), (call.ExitCode, call.Errors[0]));
        }
        finally
        {
            conclave.Kill(entireProcessTree: true);
            await conclave.WaitForExitAsync();
        }
    }

    private static async Task NameAFile(TemplateProject project)
    {
        string file = Path.Combine(project.Folder, "Notary", "Program.cs");
        File.WriteAllText(file, File.ReadAllText(file).Replace("private static void Main() =>", "private static void Main() => System.IO.File.Delete(\"x\");\n    private static void Rest() =>", StringComparison.Ordinal));
        ToolResult build = await project.Run("build", "Notary", "-nologo", "-p:UseSharedCompilation=false");
        Assert.Equal(0, build.ExitCode);
        Assert.Contains(build.Output, line => line.Contains("warning RS0030", StringComparison.Ordinal) && line.Contains("A conclave has no files: ", StringComparison.Ordinal));
    }

    private static async Task<string> Require(TemplateProject project, params string[] arguments)
    {
        ToolResult result = await project.Run(arguments);
        string said = string.Join('\n', result.Output.Concat(result.Errors));
        Assert.True(result.ExitCode == 0, said);
        return said;
    }

    private static string Built(TemplateProject project, string name, string assembly) =>
        Path.Combine(project.Folder, name, "bin", "Debug", "net10.0", assembly + ".dll");
}
