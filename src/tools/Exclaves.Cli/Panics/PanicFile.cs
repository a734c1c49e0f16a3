using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
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
        IReadOnlyList<LoadedFile> files = LoadedFile.Of(workspace, spec, SystemReader.Read(description), report.Component);
        IReadOnlyList<PanicFrame> named = await Symbolizer.Resolve(workspace.Root, files, addresses, cancel);
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

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
