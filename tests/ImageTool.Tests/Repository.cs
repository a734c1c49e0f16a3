using System.IO;
using System.Linq;
using System.Reflection;

namespace Exclaves.ImageTool.Tests;

/// <summary>Where the repository is, as the build stated it.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(a => a.Key == "RepositoryRoot").Value!;

    public static string Systems { get; } = Path.Combine(Root, "tests", "Systems");

    public static string Demo { get; } = Path.Combine(Root, "systems", "demo.json");
}
