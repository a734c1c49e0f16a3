using System;
using System.IO;

namespace Exclaves.Cli;

/// <summary>Where things lie: the repository and its output folder.</summary>
/// <remarks>Everything the tool writes is under <see cref="Out"/>, which git ignores.</remarks>
public sealed class Workspace
{
    public Workspace(string root)
    {
        Root = root;
    }

    public string Root { get; }

    public string Out => Path.Combine(Root, "out");

    /// <summary>What was downloaded and unpacked; safe to delete, costs a download.</summary>
    public string Cache => Path.Combine(Out, "cache");

    /// <summary>Debian's kernel headers, for the attack module.</summary>
    public string KernelHeaders => Path.Combine(Cache, "kernel-headers");

    /// <summary>Programs for the guest, built by the solution.</summary>
    public string GuestPrograms => Path.Combine(Out, "guest");

    /// <summary>Private keys that sign images. The developer's is made on first use; whoever deletes it gets another.</summary>
    public string Keys => Path.Combine(Out, "keys");

    public string DeveloperKey => Path.Combine(Keys, "developer.pem");

    public string Image => Path.Combine(Out, "image", "exclaves.Image");

    /// <summary>Files of the machine that runs now or ran last.</summary>
    public string Run => Path.Combine(Out, "run");

    public string ConsoleLog => Path.Combine(Run, "console.log");

    public string Demo => Path.Combine(Out, "demo");

    public string TestResults => Path.Combine(Out, "test");

    /// <summary>The repository that `exclave` names, or the one around the tool's own file.</summary>
    public static Workspace Find()
    {
        string? named = Environment.GetEnvironmentVariable("EXCLAVE_ROOT");
        if (!string.IsNullOrEmpty(named))
        {
            return new Workspace(Path.GetFullPath(named));
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Exclaves.slnx")))
            {
                return new Workspace(folder.FullName);
            }
        }

        throw new ExclaveException("This is not inside the Exclaves repository: no Exclaves.slnx in any folder above the tool.");
    }

    /// <summary>The path as a person in the repository's root would type it.</summary>
    public string Relative(string path)
    {
        string relative = Path.GetRelativePath(Root, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
