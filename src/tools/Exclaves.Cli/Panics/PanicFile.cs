using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.ImageTool.Description;

namespace Exclaves.Cli.Panics;

/// <summary>panic.json or crash.json of a run: the last report with the names of functions, for programs; and a few lines of it for people.</summary>
public static class PanicFile
{
    private const int FramesForPeople = 8;

    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true };

    /// <summary>Writes the last panic and the last crash, or removes what an earlier run left. Answers lines for people, none without either.</summary>
    /// <param name="description">The system description that made the image.</param>
    public static async Task<IReadOnlyList<string>> Write(
        Workspace workspace, MachineSpec spec, string description, IReadOnlyList<PanicReport> reports, RunFolder folder, CancellationToken cancel) =>
    [
        .. await Write(workspace, spec, description, reports.LastOrDefault(report => !report.IsCrash), folder.Panic, cancel),
        .. await Write(workspace, spec, description, reports.LastOrDefault(report => report.IsCrash), folder.Crash, cancel),
    ];

    private static async Task<IReadOnlyList<string>> Write(
        Workspace workspace, MachineSpec spec, string description, PanicReport? report, string target, CancellationToken cancel)
    {
        File.Delete(target);
        if (report == null)
        {
            return [];
        }

        // Where a function has no frame yet, or none at all, its caller is in the link register alone.
        IReadOnlyList<ulong> addresses = [.. report.Backtrace, report.Registers.GetValueOrDefault("x30")];
        IReadOnlyList<PanicFrame> named = await Symbolizer.Resolve(workspace.Root, FindElf(workspace, spec, description, report.Component), addresses, cancel);
        IReadOnlyList<PanicFrame> frames = [.. named.SkipLast(1)];
        await File.WriteAllTextAsync(target, Format(report, frames, named[^1]).ToJsonString(Layout) + "\n", cancel);
        return
        [
            $"{(report.IsCrash ? "crash" : "panic")} in {report.Component}: {report.Message} ({report.Outcome}; {workspace.Relative(target)})",
            .. frames.Take(FramesForPeople).Select(frame => $"  {Hex(frame.Address)} {frame.Symbol ?? "?"}{(frame.Location == null ? "" : "  " + frame.Location)}"),
        ];
    }

    private static JsonObject Format(PanicReport report, IReadOnlyList<PanicFrame> frames, PanicFrame link) => new()
    {
        ["component"] = report.Component,
        ["message"] = report.Message,
        ["cpu"] = report.Cpu,
        ["outcome"] = report.Outcome,
        ["registers"] = new JsonObject(report.Registers.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, Hex(pair.Value)))),
        ["link"] = Format(link),
        ["backtrace"] = new JsonArray([.. frames.Select(Format)]),
    };

    private static JsonObject Format(PanicFrame frame) => new()
    {
        ["address"] = Hex(frame.Address),
        ["symbol"] = frame.Symbol,
        ["location"] = frame.Location,
    };

    /// <summary>The linked file with the debug information of whoever panicked; null when nobody knows it.</summary>
    private static string? FindElf(Workspace workspace, MachineSpec spec, string description, string component)
    {
        SystemDescription system = SystemReader.Read(description);
        string? program = component switch
        {
            "SPTM" => spec.Variant switch
            {
                ImageVariant.Weak => "obj/Sptm.Weak/Sptm.Weak.elf",
                ImageVariant.Checked => "obj/Sptm.Checked/Sptm.Checked.elf",
                _ => Path.ChangeExtension(system.Sptm, ".elf"),
            },
            "SK" => spec.HasRogueKernel ? "obj/RogueKernel/RogueKernel.elf" : system.Sk,
            _ => system.Components.FirstOrDefault(candidate => candidate.Name == component)?.Program,
        };
        return program == null ? null : Path.Combine(workspace.Out, program);
    }

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
