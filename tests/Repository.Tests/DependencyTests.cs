using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;
using Xunit;

namespace Exclaves.Repository.Tests;

/// <summary>Who may see whom: the borders of DESIGN 2 as project references.</summary>
public class DependencyTests
{
    private static readonly string Root = FindRoot();

    /// <summary>Folder under src to the folders whose projects it may reference. A folder may always reference itself.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["base/CoreLib"] = [],
        ["base/Machine"] = ["contracts"],
        ["base/Machine.Arm64"] = ["base", "contracts"],
        ["contracts"] = [],
        ["sptm"] = ["base", "contracts"],
        ["sk"] = ["base", "contracts"],
        ["secure"] = ["base", "contracts"],
        ["conclaves"] = ["base", "contracts", "secure/Runtime", "secure/ExclaveKit"],
        ["host"] = ["contracts"],
        ["sdk"] = ["contracts", "conclaves/Exclaves.Kit", "host/Exclaves.Client", "host/Exclaves.Tightbeam.Sockets"],
        ["tools"] = ["contracts", "host/Exclaves.Client"],
    };

    public static IEnumerable<object[]> Projects() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(p => new object[] { Relative(p) });

    [Theory]
    [MemberData(nameof(Projects))]
    public void ReferencesCrossNoBorder(string project)
    {
        string folder = Row(project);
        foreach (string reference in References(project))
        {
            bool own = reference.StartsWith(folder + "/", StringComparison.Ordinal) && !folder.StartsWith("base/", StringComparison.Ordinal);
            Assert.True(
                own || Allowed[folder].Any(a => reference.StartsWith(a + "/", StringComparison.Ordinal)),
                $"src/{project} may not reference src/{reference}");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void TheTrustedBaseUsesNoPackages(string project)
    {
        string folder = Row(project);
        if (folder.StartsWith("base/", StringComparison.Ordinal) || folder is "contracts" or "sptm" or "sk")
        {
            Assert.Empty(XDocument.Load(Path.Combine(Root, "src", project)).Descendants("PackageReference"));
        }
    }

    [Fact]
    public void EverySourceFolderSaysWhatItIs()
    {
        foreach (object[] row in Projects())
        {
            string readme = Path.Combine(Root, "src", Path.GetDirectoryName((string)row[0])!, "README.md");
            Assert.True(File.Exists(readme), $"{readme} is missing");
            Assert.InRange(File.ReadAllLines(readme).Length, 1, 20);
        }
    }

    [Fact]
    public void EveryProjectIsInTheSolution()
    {
        string solution = File.ReadAllText(Path.Combine(Root, "Exclaves.slnx"));
        foreach (object[] row in Projects())
        {
            Assert.Contains($"src/{row[0]}\"", solution, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NoProjectIsCalledCommon()
    {
        foreach (object[] row in Projects())
        {
            string name = Path.GetFileNameWithoutExtension((string)row[0]);
            Assert.DoesNotContain(name.Split('.'), part => part is "Common" or "Utils" or "Helpers");
        }
    }

    private static string Row(string project) =>
        Allowed.Keys.Where(k => project.StartsWith(k + "/", StringComparison.Ordinal)).MaxBy(k => k.Length)
        ?? throw new InvalidOperationException($"src/{project} belongs to no known folder");

    private static IEnumerable<string> References(string project)
    {
        string path = Path.Combine(Root, "src", project);
        return XDocument.Load(path).Descendants("ProjectReference")
            .Select(r => Relative(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, r.Attribute("Include")!.Value.Replace('\\', '/')))));
    }

    private static string Relative(string path) => Path.GetRelativePath(Path.Combine(Root, "src"), path).Replace('\\', '/');

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Exclaves.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Exclaves.slnx not found above the tests");
    }
}
