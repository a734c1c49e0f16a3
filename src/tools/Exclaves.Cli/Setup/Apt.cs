using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Setup;

/// <summary>Debian's package client, as this tool needs it.</summary>
public static class Apt
{
    private static readonly Dictionary<string, string> Environment = new()
    {
        ["DEBIAN_FRONTEND"] = "noninteractive",
        ["LC_ALL"] = "C",
    };

    public static async Task Update(Screen screen, CancellationToken cancel)
    {
        // apt-get update ends with 0 even when the network is down, unless told so.
        ToolResult result = await Tool.Run("apt-get", ["update", "-q", "-o", "APT::Update::Error-Mode=any"], cancel, screen.Detail, environment: Environment);
        if (result.ExitCode != 0)
        {
            throw new ExclaveException($"The package lists cannot be fetched (is the network up?): {result.LastWords}");
        }
    }

    public static async Task Install(IEnumerable<string> packages, Screen screen, CancellationToken cancel)
    {
        string[] names = [.. packages];
        ToolResult result = await Tool.Run(
            "apt-get", ["install", "-q", "-y", "--no-install-recommends", .. names], cancel, screen.Detail, environment: Environment);
        if (result.ExitCode != 0)
        {
            throw new ExclaveException($"apt-get cannot install {string.Join(' ', names)}: {result.LastWords}");
        }
    }

    /// <summary>Downloads into <paramref name="folder"/>, which must be empty, without installing. Null: done; else why not.</summary>
    public static async Task<string?> TryDownload(IEnumerable<string> packages, string folder, Screen screen, CancellationToken cancel)
    {
        // The download goes to a folder that apt's own user need not be able to enter.
        ToolResult result = await Tool.Run(
            "apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", .. packages], cancel, screen.Detail, Path.GetFullPath(folder), Environment);
        return result.ExitCode == 0 ? null : result.LastWords;
    }

    /// <summary>The newest version's record of a package, field by field; null when the lists do not know it.</summary>
    public static async Task<IReadOnlyDictionary<string, string>?> TryShow(string package, CancellationToken cancel)
    {
        ToolResult result = await Tool.Run("apt-cache", ["show", "--no-all-versions", package], cancel, environment: Environment);
        if (result.ExitCode != 0)
        {
            return null;
        }

        Dictionary<string, string> fields = [];
        foreach (string[] parts in result.Output.TakeWhile(line => line.Length > 0).Select(line => line.Split(": ", 2)).Where(parts => parts.Length == 2))
        {
            fields.TryAdd(parts[0], parts[1]);
        }

        return fields.Count > 0 ? fields : null;
    }

    /// <summary>Unpacks a package file's tree into <paramref name="folder"/>.</summary>
    public static Task Unpack(string package, string folder, CancellationToken cancel) =>
        Tool.Require("dpkg-deb", ["-x", package, folder], cancel, environment: Environment);
}
