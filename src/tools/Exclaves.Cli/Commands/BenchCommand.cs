using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Bench;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;

namespace Exclaves.Cli.Commands;

/// <summary>`exclave bench`: the reference figures, in instructions, which do not move on a busy machine.</summary>
/// <remarks>One CPU, a virtual clock that counts instructions, nothing random in the device tree: the method of the peer's figures.</remarks>
public static class BenchCommand
{
    private const int DefaultPairs = 5;
    /// <summary>Components that measure the secure kernel from inside.</summary>
    private const string Probe = "tests/Probe/probe.json";

    /// <summary>A .NET conclave for measurements.</summary>
    private const string Conclave = "tests/ExclaveKit.Bench/bench.json";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(600);

    /// <summary>By the counted clock, on which a second is a billion instructions.</summary>
    private const int SoakSeconds = 10;

    /// <summary>Whatever makes the secure kernel work long: memory given, taken and returned, calls that are cut off, refused, a component that ends, then all of it at once.</summary>
    private static readonly string[] Load =
    [
        "exclave-guest donate --count 2 --pages 2048 > /dev/null",
        "exclave-guest killtest --count 40 > /dev/null",
        "exclave-guest malformed > /dev/null",
        "exclave-guest crash > /dev/null",
        $"exclave-guest soak --seconds {SoakSeconds} > /dev/null",
    ];

    private static readonly string[] Programs =
    [
        "exclave-guest bench --json",
        "exclave-guest probe bench --json",
        "insmod /lib/modules/exclave_attack.ko",
        "exclave-attack measure --json",
        .. Load,
        "exclave-guest latency --json",
    ];

    /// <summary>On the machine whose secure kernel is the tests' own.</summary>
    private static readonly string[] GatePrograms =
    [
        "insmod /lib/modules/exclave_attack.ko",
        "exclave-attack measure-gate --json",
    ];

    /// <summary>By the wall clock.</summary>
    private static readonly string[] ParallelPrograms = ["exclave-guest probe scale --json"];

    /// <summary>On the machine with the .NET conclave for measurements.</summary>
    private static readonly string[] ConclavePrograms = ["exclave-guest conclave bench --json"];

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(Session session)
    {
        Option<bool> json = new("--json") { Description = "Print one array of objects: name, value, unit, aim, peer" };
        Option<bool> noBuild = new("--no-build") { Description = "Use what was built last" };
        Option<int> pairs = new("--pairs") { Description = "How often Linux's work is done with and without the monitor; 0: not at all", HelpName = "N", DefaultValueFactory = _ => DefaultPairs };
        Command command = new("bench", "Measures calls and the monitor's work in instructions, what Linux feels of it, the time to boot, and what must be trusted") { json, noBuild, pairs };
        command.SetAction((parsed, cancel) => Run(session, parsed.GetValue(json), !parsed.GetValue(noBuild), Math.Max(0, parsed.GetValue(pairs)), cancel));
        return command;
    }

    private static async Task<int> Run(Session session, bool json, bool build, int pairs, CancellationToken cancel)
    {
        GuestPackages packages = await session.Prepare(build, cancel);
        List<Figure> figures = [];
        try
        {
            await Measure(session, packages, pairs, figures, cancel);
        }
        finally
        {
            // A part that fails takes nothing away from those before it.
            Show(session, figures, json);
        }

        return ExitCode.Success;
    }

    private static async Task Measure(Session session, GuestPackages packages, int pairs, List<Figure> figures, CancellationToken cancel)
    {
        MachineSpec counting = new() { Cpus = 1, CountsInstructions = true, Append = "nokaslr", Addition = Probe };
        await session.Screen.Step("bench: instructions", async () => figures.AddRange(await Count(session, packages, counting, Programs, cancel)));
        MachineSpec conclave = counting with { Addition = Conclave };
        await session.Screen.Step("bench: instructions of a .NET conclave", async () => figures.AddRange(await Count(session, packages, conclave, ConclavePrograms, cancel)));
        MachineSpec gate = counting with { HasRogueKernel = true, Addition = null };
        await session.Screen.Step("bench: instructions of the gate", async () => figures.AddRange(await Count(session, packages, gate, GatePrograms, cancel)));
        figures.AddRange(await Growth.Measure(session, counting, (spec, programs, token) => Count(session, packages, spec, programs, token), cancel));
        await session.Screen.Step("bench: two CPUs", async () => figures.AddRange(await Count(session, packages, new MachineSpec { Cpus = 2, Addition = Probe }, ParallelPrograms, cancel)));
        await session.Screen.Step("bench: boot", async () => figures.Add(await MeasureBoot(session, packages, cancel)));
        if (pairs > 0)
        {
            figures.AddRange(await Overhead.Measure(session, packages, pairs, cancel));
        }

        figures.AddRange(TrustedBase.Measure(session.Workspace));
    }

    private static void Show(Session session, List<Figure> figures, bool json)
    {
        if (json)
        {
            Terminal.Screen.Result(JsonSerializer.Serialize(figures, Options));
            return;
        }

        session.Screen.Table(
            "exclave bench",
            ["figure", "value", "unit", "aim", "peer"],
            [.. figures.Select(figure => new[] { figure.Name, Text(figure.Value), figure.Unit, Text(figure.Aim), Text(figure.Peer) })]);
    }

    private static async Task<IReadOnlyList<Figure>> Count(
        Session session, GuestPackages packages, MachineSpec spec, IReadOnlyList<string> programs, CancellationToken cancel)
    {
        using MemoryStream output = new();
        string complaint = "";
        GuestOutcome outcome = await session.Run(
            packages, spec, ["sh", "-c", string.Join(" && ", programs)], Limit, output, new LineStream(line => complaint = line), cancel);
        return outcome.RequireExitStatus() == 0
            ? ReadArrays(output.ToArray())
            : throw new ExclaveException($"The measurement failed in the guest: {complaint}");
    }

    /// <summary>From QEMU's start to /dev/tee0, on the machine as people run it.</summary>
    private static async Task<Figure> MeasureBoot(Session session, GuestPackages packages, CancellationToken cancel)
    {
        GuestOutcome outcome = await session.Run(packages, new MachineSpec(), ["true"], Limit, Stream.Null, Stream.Null, cancel);
        outcome.RequireExitStatus();
        double seconds = outcome.Console.Stages.First(stage => stage.Name == "tee").Time.TotalSeconds;
        return new Figure("boot.tee_ready", Math.Round(seconds, 2), "s", 8, 3);
    }

    /// <summary>Each program prints one array; they follow each other.</summary>
    private static List<Figure> ReadArrays(byte[] output)
    {
        List<Figure> figures = [];
        Utf8JsonReader reader = new(output, new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            while (reader.Read())
            {
                figures.AddRange(JsonSerializer.Deserialize<Figure[]>(ref reader, Options)!);
            }
        }
        catch (JsonException)
        {
            throw new ExclaveException($"The guest's figures cannot be read: {Encoding.UTF8.GetString(output).Split('\n')[0]}");
        }

        return figures;
    }

    private static string Text(double? value) => value?.ToString("#,0.##", CultureInfo.InvariantCulture) ?? "";
}
