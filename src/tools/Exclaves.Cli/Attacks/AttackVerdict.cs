using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Serialization;
using Exclaves.Attacks;

namespace Exclaves.Cli.Attacks;

/// <summary>One attack with its control, as `exclave attack` reports it.</summary>
public sealed record AttackVerdict
{
    private AttackVerdict(AttackRow row, AttackPart? attack, AttackPart? control)
    {
        Name = row.Name;
        Invariant = row.Invariant.ToString();
        Stand = Stands.Describe(row.Stand);
        Mechanism = row.Mechanism;
        Tried = row.Tried;
        StoppedBy = row.StoppedBy + (attack is { Counters.Length: > 0 } ? $" ({attack.Counters})" : "");
        Control = row.Control.ToString();
        Attempts = attack?.Attempts ?? 0;
        Problem = FindProblem(attack, control);
    }

    [JsonPropertyName("name")]
    public string Name { get; }

    [JsonPropertyName("invariant")]
    public string Invariant { get; }

    [JsonPropertyName("stand")]
    public string Stand { get; }

    [JsonPropertyName("mechanism")]
    public string Mechanism { get; }

    [JsonPropertyName("tried")]
    public string Tried { get; }

    /// <summary>Who stopped it, and the counters that show it.</summary>
    [JsonPropertyName("stopped_by")]
    public string StoppedBy { get; }

    [JsonPropertyName("control")]
    public string Control { get; }

    [JsonPropertyName("attempts")]
    public int Attempts { get; }

    [JsonPropertyName("passed")]
    public bool Passed => Problem is null;

    /// <summary>Why it did not pass; null when it did.</summary>
    [JsonPropertyName("problem")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Problem { get; }

    /// <summary>Joins what the boots brought. An attack without a control that succeeded has not passed: it proves nothing.</summary>
    public static IReadOnlyList<AttackVerdict> Join(IEnumerable<AttackRow> rows, IReadOnlyList<AttackPart> parts) =>
    [
        .. rows.Select(row => new AttackVerdict(row, Find(parts, row.Name, AttackPart.OfAttack), Find(parts, row.Name, AttackPart.OfControl))),
    ];

    private static AttackPart? Find(IReadOnlyList<AttackPart> parts, string name, string part) =>
        parts.FirstOrDefault(one => one.Name == name && one.Part == part);

    private static string? FindProblem(AttackPart? attack, AttackPart? control) =>
        attack is null ? "was not tried: the machine did not come so far"
        : !attack.Ok ? $"NOT STOPPED, {attack.Held} of {attack.Attempts} held: {attack.Words}"
        : control is null ? "proves nothing: its control was not tried"
        : !control.Ok ? $"proves nothing, its control did not succeed: {control.Words}"
        : null;
}
