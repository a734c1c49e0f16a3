using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Commands;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;
using Exclaves.Cli.Setup;
using Exclaves.ImageTool.Description;

namespace Exclaves.Cli.Bench;

/// <summary>What a null call costs when there are more callers, services or conclaves: the aim is that it costs the same.</summary>
public static class Growth
{
    private const int Conclaves = 64;

    /// <summary>The largest figure over the smallest: room for a cache line more in a search, not for one step each.</summary>
    private const double Aim = 1.05;

    private static readonly int[] ServiceCounts = [1, 2, 4, 8, 16, 32, 64, 128];

    /// <param name="count">Runs programs on a machine and reads the figures that they print.</param>
    public static async Task<IReadOnlyList<Figure>> Measure(
        Session session, MachineSpec counting, Func<MachineSpec, IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<Figure>>> count, CancellationToken cancel)
    {
        List<Figure> figures = [];
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclave-scale-");
        try
        {
            MachineSpec machine = counting with { Addition = null, System = Path.Combine(folder.FullName, "system.json") };
            foreach (int services in ServiceCounts)
            {
                SystemImage.WriteCopies(session.Workspace, Math.Min(services, Conclaves), services, machine.System);
                string[] programs = services == ServiceCounts[^1] ? [LastOf(services), AllConclaves()] : services == ServiceCounts[0] ? [LastOf(services), "exclave-guest scale callers --json"] : [LastOf(services)];
                await session.Screen.Step($"bench: {services} services", async () => figures.AddRange(await count(machine, programs, cancel)));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return [.. figures.GroupBy(Kind).SelectMany(WithRatio)];
    }

    /// <summary>The figures of one kind by their number, then how far they lie apart.</summary>
    public static IEnumerable<Figure> WithRatio(IGrouping<string, Figure> kind) =>
    [
        .. kind.OrderBy(Number),
        new Figure($"{kind.Key}.growth", Math.Round(kind.Max(figure => figure.Value) / kind.Min(figure => figure.Value), 3), "ratio", Aim, null),
    ];

    /// <summary>Name without its number: scale.callers.</summary>
    public static string Kind(Figure figure) => figure.Name[..figure.Name.LastIndexOf('.')];

    private static int Number(Figure figure) => int.Parse(figure.Name[(figure.Name.LastIndexOf('.') + 1)..], CultureInfo.InvariantCulture);

    private static string LastOf(int services)
    {
        // The first service is Hello's own.
        string uuid = services == 1 ? "" : $" --service {ScaleSystem.ServiceUuid(services - 2)}";
        return $"exclave-guest scale services --json --number {services}{uuid}";
    }

    /// <summary>Those of the added services that are the first of a copy each.</summary>
    private static string AllConclaves() =>
        "exclave-guest scale conclaves --json " + string.Join(" ", Enumerable.Range(0, Conclaves - 1).Select(ScaleSystem.ServiceUuid));
}
