using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Cli.Panics;
using Exclaves.ImageTool.Description;

namespace Exclaves.Cli.Debugging;

/// <summary>What gdb is told before its first prompt: whose symbols lie where, and where the machine is.</summary>
public static class DebugScript
{
    /// <param name="programs">Of whom symbols are wanted.</param>
    /// <param name="socket">Where QEMU waits.</param>
    /// <param name="component">The component among them; null: none.</param>
    public static string Write(Workspace workspace, IReadOnlyList<LoadedFile> programs, string? component, string socket) => string.Join(
        '\n',
        [
            "set architecture aarch64",
            "set confirm off",
            // Images name their sources by the place that the build gives them.
            $"set substitute-path /src {workspace.Root}",
            .. programs.Select(program => $"add-symbol-file {Quote(program.File)}" + (program.Base == 0 ? "" : $" -o 0x{program.Base:x}")),
            $"set $component = \"{component ?? ""}\"",
            $"source {Quote(Path.Combine(workspace.Root, "src", "tools", "Exclaves.Cli", "Debugging", "frames.py"))}",
            "set confirm on",
            $"target remote {Quote(socket)}",
            "",
        ]);

    /// <summary>SPTM, SK, and one component: all components are linked to the same addresses.</summary>
    /// <exception cref="ExclaveException">The system has no such component, or something is not built.</exception>
    public static IReadOnlyList<LoadedFile> Choose(Workspace workspace, Machine.MachineSpec spec, string description, string? component)
    {
        SystemDescription system = SystemReader.Read(description);
        if (component != null && system.Components.All(candidate => candidate.Name != component))
        {
            throw new ExclaveException($"The system has no component '{component}'; it has {string.Join(", ", system.Components.Select(candidate => candidate.Name))}.");
        }

        string[] names = component == null ? ["SPTM", "SK"] : ["SPTM", "SK", component];
        IReadOnlyList<LoadedFile> files = [.. names.SelectMany(name => LoadedFile.Of(workspace, spec, system, name))];
        return files.FirstOrDefault(file => !File.Exists(file.File)) is { } missing
            ? throw new ExclaveException($"{workspace.Relative(missing.File)} is not built.")
            : [.. files.Select(file => file with { File = file.WithSymbols })];
    }

    private static string Quote(string path) => path.Contains(' ') ? $"\"{path}\"" : path;
}
