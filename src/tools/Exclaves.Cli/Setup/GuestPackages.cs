using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Terminal;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Setup;

/// <summary>The guest's Debian packages, downloaded with the machine's own apt client and unpacked, never installed.</summary>
/// <remarks>
/// The set is fetched as one and its versions belong together: the kernel that the meta package names at that moment, and the
/// headers of exactly that kernel. A complete set is used as it is, also when Debian has a newer kernel; `exclave setup` asks again.
/// </remarks>
public sealed partial class GuestPackages
{
    private const string MetaPackage = "linux-image-arm64:arm64";

    private readonly Workspace _workspace;
    private readonly string _stamp;

    private GuestPackages(Workspace workspace, string kernelRelease)
    {
        _workspace = workspace;
        _stamp = StampOf(workspace);
        KernelRelease = kernelRelease;
    }

    /// <summary>What `uname -r` says in the guest, such as 6.1.0-56-arm64.</summary>
    public string KernelRelease { get; }

    /// <summary>The unmodified kernel: on arm64 Debian's vmlinuz is a plain Image.</summary>
    public string Kernel => Path.Combine(_workspace.Cache, "kernel", "boot", "vmlinuz-" + KernelRelease);

    public string ModuleFolder => Path.Combine(_workspace.Cache, "kernel", "lib", "modules", KernelRelease);

    /// <summary>Root of the unpacked user-space packages.</summary>
    public string UserSpace => Path.Combine(_workspace.Cache, "user");

    /// <summary>The set that lies in the cache; null when there is none.</summary>
    public static GuestPackages? TryOpen(Workspace workspace)
    {
        string stamp = StampOf(workspace);
        string[] lines = File.Exists(stamp) ? File.ReadAllLines(stamp) : [];
        return lines.Length > 0 ? new GuestPackages(workspace, lines[0]) : null;
    }

    /// <summary>The set in the cache, after fetching it when there is none or <paramref name="refresh"/> finds another kernel.</summary>
    public static async Task<GuestPackages> Ensure(Workspace workspace, bool refresh, Screen screen, CancellationToken cancel)
    {
        GuestPackages? present = TryOpen(workspace);
        if (present != null && !refresh)
        {
            return present;
        }

        GuestPackages? wanted = null;
        await screen.Step("setup: guest packages", async () =>
        {
            bool isRoot = Environment.IsPrivilegedProcess;
            if (refresh && isRoot)
            {
                await Apt.Update(screen, cancel);
            }

            // Lists that are absent or older than the archive: fetch them, once.
            (IReadOnlyList<string> Names, string Release)? set = await TryResolve(cancel);
            if (set == null && isRoot)
            {
                await Apt.Update(screen, cancel);
                set = await TryResolve(cancel);
            }

            if (set == null)
            {
                throw new ExclaveException($"The package lists do not know {MetaPackage}. As root, run: dpkg --add-architecture arm64 && apt-get update");
            }

            if (present != null && File.ReadLines(present._stamp).Skip(1).SequenceEqual(set.Value.Names))
            {
                wanted = present;
                return $"kernel {present.KernelRelease}, up to date";
            }

            wanted = new GuestPackages(workspace, set.Value.Release);
            string? refused = await wanted.TryFetch(set.Value.Names, screen, cancel);
            if (refused != null && isRoot)
            {
                await Apt.Update(screen, cancel);
                set = await TryResolve(cancel) ?? set;
                wanted = new GuestPackages(workspace, set.Value.Release);
                refused = await wanted.TryFetch(set.Value.Names, screen, cancel);
            }

            return refused == null
                ? $"kernel {wanted.KernelRelease}, {set.Value.Names.Count} packages"
                : throw new ExclaveException($"The guest's packages cannot be downloaded (is the network up?): {refused}");
        });
        return wanted!;
    }

    private static string StampOf(Workspace workspace) => Path.Combine(workspace.Cache, "guest-packages");

    private static async Task<(IReadOnlyList<string> Names, string Release)?> TryResolve(CancellationToken cancel)
    {
        // Depends: linux-image-6.1.0-56-arm64 (= 6.1.192-2)
        Match image = KernelDependency().Match(await DependsOf(MetaPackage, cancel));
        if (!image.Success)
        {
            return null;
        }

        string release = image.Groups["release"].Value;
        string version = image.Groups["version"].Value;
        string headers = $"linux-headers-{release}";
        string common = headers.Replace("-arm64", "-common", StringComparison.Ordinal);
        Match build = BuildToolsDependency().Match(await DependsOf(headers + ":arm64", cancel));
        if (!build.Success)
        {
            return null;
        }

        return ([
            $"linux-image-{release}:arm64={version}",
            $"{headers}:arm64={version}",
            $"{common}={version}",
            build.Value,
            "busybox-static:arm64",
        ], release);
    }

    private static async Task<string> DependsOf(string package, CancellationToken cancel) =>
        (await Apt.TryShow(package, cancel))?.GetValueOrDefault("Depends") ?? "";

    [GeneratedRegex(@"linux-image-(?<release>[0-9][^ ]*-arm64) \(= (?<version>[^)]+)\)")]
    private static partial Regex KernelDependency();

    [GeneratedRegex(@"linux-kbuild-[0-9.]+")]
    private static partial Regex BuildToolsDependency();

    private async Task<string?> TryFetch(IReadOnlyList<string> names, Screen screen, CancellationToken cancel)
    {
        string downloads = Path.Combine(_workspace.Cache, "download");
        foreach (string folder in new[] { downloads, Path.Combine(_workspace.Cache, "kernel"), UserSpace, _workspace.KernelHeaders })
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Directory.CreateDirectory(downloads);
        File.Delete(_stamp);
        if (await Apt.TryDownload(names, downloads, screen, cancel) is { } refused)
        {
            return refused;
        }

        foreach (string package in Directory.EnumerateFiles(downloads, "*.deb"))
        {
            string name = Path.GetFileName(package);
            string folder = name.StartsWith("linux-image-", StringComparison.Ordinal) ? Path.Combine(_workspace.Cache, "kernel")
                : name.StartsWith("linux-", StringComparison.Ordinal) ? _workspace.KernelHeaders
                : UserSpace;
            screen.Detail("unpacking " + name);
            await Apt.Unpack(package, folder, cancel);
        }

        Directory.Delete(downloads, recursive: true);
        File.WriteAllLines(_stamp, [KernelRelease, .. names]);
        return null;
    }
}
