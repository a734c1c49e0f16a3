using System;
using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Attacks;

/// <summary>All attacks, in the order in which they run: readings before changes.</summary>
public static class AttackCatalogue
{
    public static IReadOnlyList<AttackRow> All { get; } =
    [
        .. MemoryRows.All, .. DeviceRows.All, .. InterruptRows.All, .. CallRows.All, .. ComponentRows.All, .. RegisterRows.All, .. SecureKernelRows.All, .. ImageRows.All,
    ];

    public static AttackRow? Find(string name) => All.FirstOrDefault(attack => attack.Name == name);

    /// <summary>Whether a person who typed <paramref name="filter"/> means this attack: names, starts of names, or invariants, separated by commas. Empty means all.</summary>
    public static bool Matches(AttackRow attack, string filter) => filter.Length == 0 || filter.Split(',').Any(word =>
        attack.Invariant.ToString() == word || attack.Name == word || attack.Name.StartsWith(word + ".", StringComparison.Ordinal));
}
