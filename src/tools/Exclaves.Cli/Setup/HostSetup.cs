using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Setup;

/// <summary>Finds what the build machine lacks; root gets it installed, others get the line that does it.</summary>
public static class HostSetup
{
    private const string Architecture = "arm64";

    public static async Task Run(Screen screen, CancellationToken cancel)
    {
        IReadOnlyList<HostPackage> missing = [.. HostPackages.All.Where(package => !package.IsPresent)];
        bool needsArchitecture = !await HasArchitecture(cancel);
        if (missing.Count == 0 && !needsArchitecture)
        {
            return;
        }

        string names = string.Join(' ', missing.Select(package => package.Package));
        if (!Environment.IsPrivilegedProcess)
        {
            string architecture = needsArchitecture ? $"dpkg --add-architecture {Architecture} && " : "";
            string install = missing.Count == 0 ? "" : $" && apt-get install -y --no-install-recommends {names}";
            throw new ExclaveException($"Missing on this machine. As root, run: {architecture}apt-get update{install}");
        }

        await screen.Step("setup: this machine", async () =>
        {
            foreach (HostPackage package in missing)
            {
                screen.Note($"  {package.Package}: {package.Why}");
            }

            if (needsArchitecture)
            {
                await Tool.Require("dpkg", ["--add-architecture", Architecture], cancel);
            }

            await Apt.Update(screen, cancel);
            if (missing.Count > 0)
            {
                await Apt.Install(missing.Select(package => package.Package), screen, cancel);
            }

            HostPackage? absent = missing.FirstOrDefault(package => !package.IsPresent);
            return absent == null
                ? $"{missing.Count} packages installed"
                : throw new ExclaveException($"{absent.Package} was installed, but '{absent.Probe}' is still not there.");
        });
    }

    private static async Task<bool> HasArchitecture(CancellationToken cancel)
    {
        ToolResult foreign = await Tool.Require("dpkg", ["--print-foreign-architectures"], cancel);
        ToolResult own = await Tool.Require("dpkg", ["--print-architecture"], cancel);
        return foreign.Output.Concat(own.Output).Contains(Architecture);
    }
}
