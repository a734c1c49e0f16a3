using System;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exclaves.Cli.Demo;

/// <summary>One line of `exclave-attack`: what was tried on what, and whether it came out as expected.</summary>
public sealed record AttackResult(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("target")] string Target,
    [property: JsonPropertyName("outcome")] string Outcome,
    [property: JsonPropertyName("counter")] string Counter,
    [property: JsonPropertyName("delta")] long Delta,
    [property: JsonPropertyName("expected")] string Expected,
    [property: JsonPropertyName("ok")] bool Ok)
{
    /// <summary>Since the one before.</summary>
    [JsonIgnore]
    public TimeSpan Time { get; init; }

    /// <summary>The result that a line states; null when the line is something else.</summary>
    public static AttackResult? TryParse(string line)
    {
        if (!line.StartsWith('{'))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<AttackResult>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
