using System.IO;
using Exclaves.Abi;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.ImageTool;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;

namespace Exclaves.Cli.Image;

/// <summary>The one file that boots: monitor, secure world, Debian's kernel, and an initramfs made for one order.</summary>
public static class SystemImage
{
    /// <summary>The kernel ends the machine when it panics, instead of waiting: QEMU runs with -no-reboot.</summary>
    private const string BootArguments = "console=ttyAMA0 rdinit=/init panic=-1";

    /// <summary>Lays out <paramref name="target"/>; the initramfs is left beside it.</summary>
    public static void Build(Workspace workspace, GuestPackages packages, GuestOrder order, MachineSpec spec, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        string initramfs = Path.Combine(Path.GetDirectoryName(target)!, "initramfs.cpio");
        using (FileStream stream = File.Create(initramfs))
        {
            Initramfs.WriteBase(stream, workspace, packages);
            Initramfs.WriteRun(stream, order);
        }

        try
        {
            using SigningKey key = spec.ProductionKey is { } production
                ? SigningKey.Load(production, SignerKind.Production)
                : SigningKey.LoadOrCreateDeveloper(workspace.DeveloperKey);
            ImageBuilder.Build(new ImageRequest
            {
                System = Path.Combine(workspace.Root, "systems", "demo.json"),
                Artifacts = workspace.Out,
                Kernel = packages.Kernel,
                Initramfs = initramfs,
                BootArguments = $"{BootArguments} {spec.Append}".TrimEnd(),
                Sptm = spec.Variant == ImageVariant.Weak ? Path.Combine(workspace.Out, "obj", "Sptm.Weak", "Sptm.Weak.bin") : null,
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
}
