using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

namespace Exclaves.Cli.Tests;

/// <summary>A machine that has only the programs a test gives it: a repository of its own and a PATH with one folder.</summary>
public sealed partial class FakeHost : IDisposable
{
    private const string Nobody = "65534";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("exclave-test-");

    public FakeHost()
    {
        Directory.CreateDirectory(Programs);
        Directory.CreateDirectory(Root);
        File.WriteAllText(Path.Combine(Root, "Exclaves.slnx"), "<Solution />\n");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Repository", "exclave"), Path.Combine(Root, "exclave"));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Repository", "global.json"), Path.Combine(Root, "global.json"));
    }

    /// <summary>The repository that the tool works on.</summary>
    public string Root => Path.Combine(_folder.FullName, "repository");

    /// <summary>The only folder on the PATH.</summary>
    public string Programs => Path.Combine(_folder.FullName, "programs");

    /// <summary>Makes programs of this machine reachable.</summary>
    public void Link(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            string? path = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
            File.CreateSymbolicLink(Path.Combine(Programs, name), path ?? throw new FileNotFoundException($"This machine has no '{name}'."));
        }
    }

    /// <summary>Makes a program of one or more lines of shell (or, after a "#!" line, of something else).</summary>
    public void Fake(string name, string script)
    {
        string path = Path.Combine(Programs, name);
        File.WriteAllText(path, script.StartsWith("#!", StringComparison.Ordinal) ? script : "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
    }

    /// <summary>Runs the tool, or the shell script that starts it when the first word is "./exclave".</summary>
    public async Task<(int Status, string Output, string Errors)> Run(IReadOnlyList<string> words, bool asNobody)
    {
        List<string> command = words[0] == "./exclave"
            ? ["/bin/sh", Path.Combine(Root, "exclave"), .. words.Skip(1)]
            : [Environment.ProcessPath!, Path.Combine(CopyTool(), "exclave.dll"), .. words.Skip(1)];
        if (asNobody && Environment.IsPrivilegedProcess)
        {
            MakeReadable();
            command = ["/usr/bin/setpriv", "--reuid=" + Nobody, "--clear-groups", "--", .. command];
        }

        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
        };
        start.Environment["PATH"] = Programs;
        start.Environment["EXCLAVE_ROOT"] = Root;
        start.Environment["HOME"] = _folder.FullName;
        start.Environment["DOTNET_CLI_HOME"] = _folder.FullName;
        start.Environment.Remove("DOTNET_ROOT_X64");
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, Normalise(await output), Normalise(await errors));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Replaces what differs from run to run.</summary>
    private string Normalise(string text) => Duration().Replace(text.Replace(Root, "ROOT", StringComparison.Ordinal), "T s");

    /// <summary>The tool where every user may read it.</summary>
    private string CopyTool()
    {
        string folder = Path.Combine(_folder.FullName, "tool");
        Directory.CreateDirectory(folder);
        foreach (string path in Directory.EnumerateFiles(AppContext.BaseDirectory).Where(path => Path.GetExtension(path) is ".dll" or ".json"))
        {
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)), overwrite: true);
        }

        return folder;
    }

    private void MakeReadable()
    {
        const UnixFileMode ReadAndEnter = UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        _folder.UnixFileMode |= ReadAndEnter;
    }

    [GeneratedRegex(@"\d+\.\d s\b")]
    private static partial Regex Duration();
}
