using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.ImageTool.Description;

namespace Exclaves.Cli.Panics;

/// <summary>A linked file and the addresses at which it runs.</summary>
/// <param name="Base">What is added to the file's own addresses.</param>
/// <param name="End">First address that is not its own.</param>
/// <param name="IsDotNet">An ordinary .NET program: its functions have the names of NativeAOT.</param>
public sealed record LoadedFile(string File, ulong Start, ulong End, ulong Base = 0, bool IsDotNet = false)
{
    /// <summary>The file with the symbols, which lies beside a program that was stripped of them.</summary>
    public string WithSymbols => System.IO.File.Exists(File + ".dbg") ? File + ".dbg" : File;

    /// <summary>The files in whose code <paramref name="name"/> can be: SPTM, SK, or a component of the system. None when nobody knows it.</summary>
    public static IReadOnlyList<LoadedFile> Of(Workspace workspace, MachineSpec spec, SystemDescription system, string name)
    {
        string InOut(string path) => Path.Combine(workspace.Out, path);
        switch (name)
        {
            case "SPTM":
                return [new(InOut(spec.Variant switch
                {
                    ImageVariant.Weak => "obj/Sptm.Weak/Sptm.Weak.elf",
                    ImageVariant.Checked => "obj/Sptm.Checked/Sptm.Checked.elf",
                    _ => Path.ChangeExtension(system.Sptm, ".elf"),
                }), 0, ulong.MaxValue)];
            case "SK":
                return [new(InOut(spec.HasRogueKernel ? "obj/RogueKernel/RogueKernel.elf" : system.Sk), 0, ulong.MaxValue)];
        }

        if (system.Components.FirstOrDefault(candidate => candidate.Name == name) is not { } component)
        {
            return [];
        }

        return component.Kind == ComponentKind.DotNet
            ? [
                new(InOut(component.Program), UserLayout.ProgramBase, UserLayout.MmapBase, UserLayout.ProgramBase, IsDotNet: true),
                new(InOut(system.Kit!), UserLayout.ComponentBase, UserLayout.IpcPage),
            ]
            : [new(InOut(component.Program), 0, ulong.MaxValue)];
    }
}
