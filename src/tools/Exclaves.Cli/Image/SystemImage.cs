using System;
using System.IO;
using System.Text.Json.Nodes;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.ImageTool;
using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;

namespace Exclaves.Cli.Image;

/// <summary>The one file that boots: monitor, secure world, Debian's kernel, and an initramfs made for one order.</summary>
public static class SystemImage
{
    /// <summary>The kernel ends the machine when it panics, instead of waiting: QEMU runs with -no-reboot.</summary>
    private const string BootArguments = "console=ttyAMA0 rdinit=/init panic=-1";

    /// <summary>The conclave that large systems have many of.</summary>
    private const string ScaleModel = "Hello";

    /// <summary>The kernel's command line.</summary>
    public static string Arguments(MachineSpec spec) => $"{BootArguments} {spec.Append}".TrimEnd();

    /// <summary>Where <see cref="Build"/> leaves the initramfs of an image.</summary>
    public static string InitramfsBeside(string image) => Path.Combine(Path.GetDirectoryName(image)!, "initramfs.cpio");

    /// <summary>Lays out <paramref name="target"/>, or without a monitor copies Linux's kernel there; the initramfs is left beside it.</summary>
    public static void Build(Workspace workspace, GuestPackages packages, GuestOrder order, MachineSpec spec, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        string initramfs = InitramfsBeside(target);
        using (FileStream stream = File.Create(initramfs))
        {
            Initramfs.WriteBase(stream, workspace, packages);
            Initramfs.WriteRun(stream, order, Addition(workspace, spec)?.Programs ?? []);
        }

        if (!spec.HasMonitor)
        {
            File.Copy(packages.Kernel, target, overwrite: true);
            return;
        }

        string system = Description(workspace, spec, Path.GetDirectoryName(target)!);
        if (system != Base(workspace, spec))
        {
            File.WriteAllText(system, Alter(workspace, spec));
        }

        string? monitor = null;
        if (spec.Variant != ImageVariant.Normal)
        {
            monitor = Path.Combine(Path.GetDirectoryName(target)!, "monitor.bin");
            TestMonitor.Write(workspace, spec, monitor);
        }

        try
        {
            using SigningKey key = spec.ProductionKey is { } production
                ? SigningKey.Load(production, SignerKind.Production)
                : SigningKey.LoadOrCreateDeveloper(workspace.DeveloperKey);
            ImageBuilder.Build(new ImageRequest
            {
                System = system,
                Artifacts = workspace.Out,
                Kernel = packages.Kernel,
                Initramfs = initramfs,
                BootArguments = Arguments(spec),
                RamBytes = (ulong)spec.MemoryMib << 20,
                Sptm = monitor,
                Key = key,
                Sk = spec.HasRogueKernel ? Path.Combine(workspace.Out, "obj", "RogueKernel", "RogueKernel.elf") : null,
                Output = target,
            });
        }
        catch (ImageToolException error)
        {
            throw new ExclaveException($"The image cannot be built: {error.Problems[0]}" + (error.Problems.Count > 1 ? $" (and {error.Problems.Count - 1} more)" : ""));
        }
    }

    /// <summary>The system description of an image that is made in <paramref name="folder"/>.</summary>
    public static string Description(Workspace workspace, MachineSpec spec, string folder) =>
        spec.Addition != null || spec.StopsOnPanic ? Path.Combine(folder, "system.json") : Base(workspace, spec);

    /// <summary>What the machine's system gets beside its own; null: nothing.</summary>
    public static SystemAddition? Addition(Workspace workspace, MachineSpec spec) =>
        spec.Addition == null ? null : SystemAddition.Read(Path.Combine(workspace.Root, spec.Addition));

    /// <summary>Writes the description of a system with many conclaves and services.</summary>
    public static void WriteScale(Workspace workspace, int conclaves, int services, string target)
    {
        string demo = Demo(workspace);
        Write(target, ScaleSystem.Enlarge(demo, File.ReadAllText(demo), ScaleModel, conclaves, services));
    }

    /// <summary>Writes the description of a system with Hello and copies of it alone; services that were added have the numbers from 0 on.</summary>
    public static void WriteCopies(Workspace workspace, int conclaves, int services, string target)
    {
        string demo = Demo(workspace);
        Write(target, ScaleSystem.Enlarge(demo, ScaleSystem.Reduce(File.ReadAllText(demo), ScaleModel), ScaleModel, conclaves, services));
    }

    private static void Write(string target, string system)
    {
        File.WriteAllText(target, system + "\n");
        SystemReader.Read(target);
    }

    private static string Base(Workspace workspace, MachineSpec spec) => spec.System ?? Demo(workspace);

    private static string Demo(Workspace workspace) => Path.Combine(workspace.Root, "systems", "demo.json");

    /// <summary>The description with what the order adds to it.</summary>
    private static string Alter(Workspace workspace, MachineSpec spec)
    {
        JsonObject sum = JsonNode.Parse(File.ReadAllText(Base(workspace, spec)))!.AsObject();
        if (spec.StopsOnPanic)
        {
            sum["stopOnPanic"] = true;
        }

        Addition(workspace, spec)?.AddTo(sum);
        return sum.ToJsonString();
    }
}
