using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Demo;

/// <summary>Sums the attacks up by kind, with and without the protection.</summary>
public static class AttackTable
{
    /// <summary>Needs a page with something in it to show that it works: not every target has one.</summary>
    private const string LpiOracle = "lpi.oracle";

    /// <summary>Kinds by the name that `exclave-attack` gives them, as a person would say it.</summary>
    private static readonly Dictionary<string, string> Words = new()
    {
        ["read"] = "kernel reads secure frames",
        ["write"] = "kernel writes secure frames",
        ["read.direct"] = "kernel reads them without fault fixup",
        ["write.direct"] = "kernel writes them without fault fixup",
        ["user.read"] = "frames mapped into a process, read",
        ["user.write"] = "frames mapped into a process, written",
        ["fetch"] = "kernel executes secure frames",
        ["user.fetch"] = "a process executes them",
        ["walk.translate"] = "stage-1 table in a secure frame, translation",
        ["walk.load"] = "stage-1 table in a secure frame, load",
        [LpiOracle] = "interrupt controller reads memory (LPI tables)",
        ["key.hunt"] = "kernel copies the conclave's heap to find the key",
    };

    /// <summary>Rows: what was tried, with the protection, without it, time.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Rows(IReadOnlyList<AttackResult> guarded, IReadOnlyList<AttackResult> open) =>
    [
        .. Kinds(guarded).Select(kind => new[]
        {
            Words.GetValueOrDefault(kind, kind),
            Sum(guarded, kind, "stopped"),
            Sum(open, kind, "succeed"),
            Screen.Seconds(guarded.Where(attack => attack.Name == kind).Aggregate(TimeSpan.Zero, (sum, attack) => sum + attack.Time)),
        }),
    ];

    /// <summary>Why the attacks do not count as stopped; empty when they do.</summary>
    public static IReadOnlyList<string> Faults(IReadOnlyList<AttackResult> guarded, IReadOnlyList<AttackResult> open)
    {
        List<string> faults = [.. guarded.Concat(open).Where(attack => !attack.Ok).Select(Describe)];
        if (!guarded.Any(IsAttack))
        {
            faults.Add("no attack was tried");
        }

        // What was tried there and failed is in the list already.
        HashSet<(string Name, string Target)> controls = [.. open.Select(KeyOf)];
        faults.AddRange(guarded.Where(attack => IsAttack(attack) && IsMemory(attack) && !controls.Contains(KeyOf(attack)))
            .Select(attack => $"{attack.Name} on {attack.Target} was not tried on the build without the protection"));
        return faults;
    }

    public static bool IsAttack(AttackResult attack) => attack.Name != "afterwards";

    /// <summary>Those that a build without protections lets through; hostile calls are refused by every build.</summary>
    private static bool IsMemory(AttackResult attack) => Words.ContainsKey(attack.Name);

    private static IEnumerable<string> Kinds(IReadOnlyList<AttackResult> attacks) =>
        attacks.Where(attack => IsAttack(attack) && IsMemory(attack)).Select(attack => attack.Name).Distinct();

    private static string Sum(IReadOnlyList<AttackResult> attacks, string kind, string verb)
    {
        int all = attacks.Count(attack => attack.Name == kind);
        return all == 0 ? "not tried" : $"{attacks.Count(attack => attack.Name == kind && attack.Ok)} of {all} {verb}";
    }

    private static (string Name, string Target) KeyOf(AttackResult attack) => (attack.Name, attack.Name == LpiOracle ? "" : attack.Target);

    private static string Describe(AttackResult attack) =>
        $"{attack.Name} on {attack.Target} (expected: {attack.Expected}): {attack.Outcome}, {attack.Counter} +{attack.Delta}";
}
