using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Cli.Setup;

namespace Exclaves.Cli.Image;

/// <summary>The guest's whole user space: Debian's busybox, kernel modules, our programs, and what to run.</summary>
public static class Initramfs
{
    /// <summary>Loaded at every boot, in this order after what they need. The last shows SPTM's log as /sys/firmware/log.</summary>
    private static readonly string[] BootModules = ["virtio_pci", "virtio_console", "optee", "memconsole-coreboot"];

    private static readonly string[] ShareModules = ["virtio_pci", "9pnet_virtio", "9p"];

    private static readonly string[] DiskModules = ["virtio_pci", "virtio_blk"];

    private static readonly string[] NetworkModules = ["virtio_pci", "virtio_net", "e1000"];

    private static readonly string[] Folders =
    [
        "bin", "sbin", "dev", "etc", "exclave", "lib", "lib/modules", "proc", "root", "run", "share", "sys", "tmp",
        "usr", "usr/bin", "usr/lib", "usr/lib/exclave", "usr/sbin", "var",
    ];

    /// <summary>The part that is the same for every run.</summary>
    public static void WriteBase(Stream stream, Workspace workspace, GuestPackages packages)
    {
        using CpioWriter archive = new(stream);
        foreach (string folder in Folders)
        {
            archive.AddDirectory(folder);
        }

        // The kernel opens this before anything is mounted.
        archive.AddCharacterDevice("dev/console", 5, 1);
        archive.AddFile("bin/busybox", File.ReadAllBytes(Path.Combine(packages.UserSpace, "bin", "busybox")), isExecutable: true);
        archive.AddLink("bin/sh", "busybox");
        AddScripts(archive, workspace);
        AddModules(archive, packages);
        AddPrograms(archive, workspace);
    }

    /// <summary>The part of one run: an archive of its own, which Linux unpacks over the first.</summary>
    /// <param name="programs">More executables for the PATH.</param>
    public static void WriteRun(Stream stream, GuestOrder order, IReadOnlyList<string> programs)
    {
        using CpioWriter archive = new(stream);
        archive.AddFile("exclave/settings", Encoding.UTF8.GetBytes(order.FormatSettings()));
        archive.AddFile("exclave/command", Encoding.UTF8.GetBytes(order.FormatCommand()), isExecutable: true);
        foreach (string program in programs)
        {
            archive.AddFile("usr/bin/" + Path.GetFileName(program), ReadProgram(program), isExecutable: true);
        }
    }

    private static byte[] ReadProgram(string path) =>
        File.Exists(path) ? File.ReadAllBytes(path) : throw new ExclaveException($"There is no program '{path}' for the guest; `dotnet publish` of its project makes it.");

    private static void AddScripts(CpioWriter archive, Workspace workspace)
    {
        string folder = Path.Combine(workspace.Root, "src", "guest");
        archive.AddFile("init", File.ReadAllBytes(Path.Combine(folder, "init")), isExecutable: true);
        archive.AddFile("etc/profile", File.ReadAllBytes(Path.Combine(folder, "profile")));
        archive.AddFile("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"u8);
        archive.AddFile("etc/group", "root:x:0:\n"u8);
        foreach (string path in Directory.EnumerateFiles(folder, "*.sh").Order(StringComparer.Ordinal))
        {
            archive.AddFile("usr/lib/exclave/" + Path.GetFileName(path), File.ReadAllBytes(path), isExecutable: true);
        }
    }

    private static void AddModules(CpioWriter archive, GuestPackages packages)
    {
        ModuleCatalog catalog = new(packages.ModuleFolder);
        IReadOnlyList<string> boot = catalog.Resolve(BootModules);
        (string Kind, IReadOnlyList<string> Modules)[] more =
        [
            ("share", catalog.Resolve(ShareModules)),
            ("disk", catalog.Resolve(DiskModules)),
            ("network", catalog.Resolve(NetworkModules)),
        ];
        foreach (string path in more.Aggregate(boot.AsEnumerable(), (all, one) => all.Union(one.Modules)))
        {
            archive.AddFile(GuestPath(path), File.ReadAllBytes(path));
        }

        archive.AddFile("exclave/modules", Lines(boot));
        foreach ((string kind, IReadOnlyList<string> modules) in more)
        {
            archive.AddFile("exclave/modules." + kind, Lines(modules.Except(boot)));
        }
    }

    /// <summary>Our programs go to the PATH, our kernel modules beside Debian's.</summary>
    private static void AddPrograms(CpioWriter archive, Workspace workspace)
    {
        if (!Directory.Exists(workspace.GuestPrograms))
        {
            return;
        }

        foreach (string path in Directory.EnumerateFiles(workspace.GuestPrograms).Where(IsElf).Order(StringComparer.Ordinal))
        {
            bool isModule = path.EndsWith(".ko", StringComparison.Ordinal);
            archive.AddFile(isModule ? GuestPath(path) : "usr/bin/" + Path.GetFileName(path), File.ReadAllBytes(path), isExecutable: !isModule);
        }
    }

    /// <summary>Debug information that lies beside a program stays on the build machine.</summary>
    private static bool IsElf(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using FileStream file = File.OpenRead(path);
        return !path.EndsWith(".dbg", StringComparison.Ordinal) && file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == 4
            && magic.SequenceEqual("\u007fELF"u8);
    }

    private static string GuestPath(string module) => "lib/modules/" + Path.GetFileName(module);

    private static byte[] Lines(IEnumerable<string> modules) =>
        Encoding.UTF8.GetBytes(string.Concat(modules.Select(module => "/" + GuestPath(module) + "\n")));
}
