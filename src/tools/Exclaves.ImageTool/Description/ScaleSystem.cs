using System;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Exclaves.ImageTool.Description;

/// <summary>Makes a large system out of a small one, to measure how the secure world scales.</summary>
public static class ScaleSystem
{
    private const int QuotaKib = 256;
    private const int QuotaStepKib = 32;

    /// <summary>The description <paramref name="text"/> with further copies of one conclave, and services that they share evenly.</summary>
    /// <param name="model">Name of the conclave to copy: freestanding, without grants.</param>
    /// <param name="conclaves">Components that are not of the core, in all.</param>
    /// <param name="services">Services in all; the last is served by the last copy.</param>
    /// <exception cref="ImageToolException">The description has more of either already, or no such conclave.</exception>
    public static string Enlarge(string file, string text, string model, int conclaves, int services)
    {
        JsonNode system = JsonNode.Parse(text)!;
        JsonArray components = system["components"]!.AsArray();
        JsonArray offered = system["services"]!.AsArray();
        JsonObject? pattern = null;
        int present = 0;
        foreach (JsonNode? component in components)
        {
            present += (bool?)component!["core"] == true ? 0 : 1;
            pattern = (string?)component["name"] == model ? component.AsObject() : pattern;
        }

        if (pattern is null || pattern.ContainsKey("grants"))
        {
            throw new ImageToolException(file, "$.components", $"have no conclave \"{model}\" without grants to copy.");
        }

        if (present > conclaves || offered.Count > services)
        {
            throw new ImageToolException(file, "$", $"has {present} conclaves and {offered.Count} services already: ask for at least so many.");
        }

        int copies = conclaves - present;
        if (copies == 0 && services != offered.Count)
        {
            throw new ImageToolException(file, "$.services", "need a conclave more: the new ones are served by copies.");
        }

        for (int i = 0; i < copies; i++)
        {
            JsonObject copy = pattern.DeepClone().AsObject();
            copy["name"] = CopyName(model, i);
            copy["quota"] = string.Create(CultureInfo.InvariantCulture, $"{QuotaKib + (i % 4 * QuotaStepKib)} KiB");
            components.Add(copy);
        }

        // Counted down to the last copy, so that the last service lies in the last slot.
        int added = services - offered.Count;
        for (int i = 0; i < added; i++)
        {
            offered.Add(new JsonObject
            {
                ["name"] = string.Create(CultureInfo.InvariantCulture, $"org.exclaves.scale.{i + 1}"),
                ["uuid"] = ServiceUuid(i).ToString("D"),
                ["component"] = CopyName(model, copies - 1 - ((added - 1 - i) % copies)),
            });
        }

        return system.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>The description <paramref name="text"/> with one conclave alone, and its services: the smallest system to enlarge.</summary>
    /// <param name="model">Name of the conclave that stays, beside the core.</param>
    public static string Reduce(string text, string model)
    {
        JsonNode system = JsonNode.Parse(text)!;
        Keep(system["components"]!.AsArray(), component => (bool?)component["core"] == true || (string?)component["name"] == model);
        Keep(system["services"]!.AsArray(), service => (string?)service["component"] == model);
        return system.ToJsonString();
    }

    private static void Keep(JsonArray entries, Predicate<JsonNode> stays)
    {
        for (int i = entries.Count - 1; i >= 0; i--)
        {
            if (!stays(entries[i]!))
            {
                entries.RemoveAt(i);
            }
        }
    }

    /// <summary>The UUID of the added service <paramref name="index"/>, from 0.</summary>
    public static Guid ServiceUuid(int index) => Guid.ParseExact(string.Create(CultureInfo.InvariantCulture, $"5ca1e000-0000-4000-8000-{index + 1:x12}"), "D");

    private static string CopyName(string model, int index) => string.Create(CultureInfo.InvariantCulture, $"{model}.{index + 1}");
}
