using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli;
using Exclaves.Cli.Setup;
using Exclaves.Cli.Terminal;

namespace Exclaves.Boot.Tests;

/// <summary>A folder for the guest with Debian's kexec, the libraries that it needs, and the kernel to start.</summary>
internal static class SecondKernel
{
    private static readonly string[] Packages =
    [
        "kexec-tools:arm64", "libc6:arm64", "zlib1g:arm64", "libxenmisc4.17:arm64", "libxencall1:arm64", "libxendevicemodel1:arm64", "libxenevtchn1:arm64",
        "libxenforeignmemory1:arm64", "libxengnttab1:arm64", "libxentoolcore1:arm64", "libxentoollog1:arm64",
    ];

    private static readonly string[] LibraryFolders = ["lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu"];

    /// <summary>Fetched and unpacked once.</summary>
    private static readonly Lazy<Task<string>> Folder = new(Make);

    public static Task<string> ShareFolder => Folder.Value;

    private static async Task<string> Make()
    {
        Workspace workspace = Workspace.Find();
        GuestPackages guest = GuestPackages.TryOpen(workspace)!;
        string root = Path.Combine(workspace.Cache, "kexec");
        string share = Path.Combine(root, "share");
        string stamp = Path.Combine(root, guest.KernelRelease);
        if (File.Exists(stamp))
        {
            return share;
        }

        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        string downloads = Directory.CreateDirectory(Path.Combine(root, "download")).FullName;
        string libraries = Directory.CreateDirectory(Path.Combine(share, "lib")).FullName;
        string? refused = await Apt.TryDownload(Packages, downloads, new Screen { IsQuiet = true }, CancellationToken.None);
        Assert(refused == null, $"kexec cannot be downloaded: {refused}");
        string unpacked = Path.Combine(root, "unpacked");
        foreach (string package in Directory.EnumerateFiles(downloads, "*.deb"))
        {
            await Apt.Unpack(package, unpacked, CancellationToken.None);
        }

        File.Copy(Path.Combine(unpacked, "sbin", "kexec"), Path.Combine(share, "kexec"));
        File.Copy(guest.Kernel, Path.Combine(share, "vmlinuz"));
        foreach (string folder in LibraryFolders)
        {
            foreach (string library in Directory.EnumerateFiles(Path.Combine(unpacked, folder), "*.so*"))
            {
                File.Copy(library, Path.Combine(libraries, Path.GetFileName(library)), overwrite: true);
            }
        }

        await File.WriteAllTextAsync(stamp, "");
        return share;
    }

    private static void Assert(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
