using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exclaves.Cli.Attacks;

/// <summary>One line of `exclave-attack suite`: how an attack, or its control, came out in one boot.</summary>
/// <param name="Name">Of the attack in the catalogue.</param>
/// <param name="Part">"attack": it had to be stopped. "control": it had to succeed.</param>
/// <param name="Held">How many of the attempts came out as they had to.</param>
/// <param name="Counters">Counters of SPTM, SK and XnuProxy that rose, and by how much.</param>
/// <param name="Words">What went wrong first, or what came of the last attempt.</param>
public sealed record AttackPart(
    [property: JsonPropertyName("attack")] string Name,
    [property: JsonPropertyName("part")] string Part,
    [property: JsonPropertyName("attempts")] int Attempts,
    [property: JsonPropertyName("held")] int Held,
    [property: JsonPropertyName("ok")] bool Ok,
    [property: JsonPropertyName("counters")] string Counters,
    [property: JsonPropertyName("words")] string Words)
{
    public const string OfAttack = "attack";
    public const string OfControl = "control";

    /// <summary>The result that a line states; null when the line is something else.</summary>
    public static AttackPart? TryParse(string line)
    {
        if (!line.StartsWith("{\"attack\"", System.StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<AttackPart>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
