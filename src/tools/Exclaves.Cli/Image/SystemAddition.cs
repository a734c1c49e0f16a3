using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Exclaves.Cli.Image;

/// <summary>Components and services that a system gets beside its own, and the programs that call them (systems/README.md has the format).</summary>
/// <remarks>Paths that begin with a dot are relative to the file, other programs of components to the build's output, as in a system.</remarks>
public sealed class SystemAddition
{
    private static readonly string[] Members = ["$schema", "components", "services", "pool", "publish", "programs"];

    private SystemAddition(string file, JsonObject root)
    {
        Folder = Path.GetDirectoryName(file)!;
        Components = Objects(root, "components");
        Services = Objects(root, "services");
        Publish = [.. Texts(root, "publish").Select(Resolve)];
        Programs = [.. Texts(root, "programs").Select(Resolve)];
        Pool = root["pool"]?.GetValue<string>();
        foreach (JsonObject component in Components)
        {
            if (component["program"] is JsonValue program && program.TryGetValue(out string? path) && path.StartsWith('.'))
            {
                component["program"] = Resolve(path);
            }
        }
    }

    public string Folder { get; }

    public IReadOnlyList<JsonObject> Components { get; }

    public IReadOnlyList<JsonObject> Services { get; }

    /// <summary>Projects to publish before an image is made.</summary>
    public IReadOnlyList<string> Publish { get; }

    /// <summary>Programs for the guest's PATH.</summary>
    public IReadOnlyList<string> Programs { get; }

    /// <summary>The pool that the system has with it; null: what it had.</summary>
    public string? Pool { get; }

    public static SystemAddition Read(string file)
    {
        try
        {
            JsonObject root = JsonNode.Parse(File.ReadAllText(file)) as JsonObject ?? throw new JsonException("it is no object.");
            return root.FirstOrDefault(member => !Members.Contains(member.Key)).Key is { } unknown
                ? throw new JsonException($"'{unknown}' is none of {string.Join(", ", Members)}.")
                : new SystemAddition(Path.GetFullPath(file), root);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new ExclaveException($"{file}: {error.Message}");
        }
    }

    /// <summary>The system of <paramref name="description"/> with this in it.</summary>
    public void AddTo(JsonObject description)
    {
        foreach ((string list, IReadOnlyList<JsonObject> more) in new[] { ("components", Components), ("services", Services) })
        {
            foreach (JsonObject entry in more)
            {
                description[list]!.AsArray().Add(entry.DeepClone());
            }
        }

        if (Pool != null)
        {
            description["pool"] = Pool;
        }
    }

    private static JsonObject[] Objects(JsonObject root, string member) =>
        [.. (root[member]?.AsArray() ?? []).Select(entry => entry as JsonObject ?? throw new JsonException($"an entry of '{member}' is no object."))];

    private static IEnumerable<string> Texts(JsonObject root, string member) =>
        (root[member]?.AsArray() ?? []).Select(entry => entry?.GetValue<string>() ?? throw new JsonException($"an entry of '{member}' is no text."));

    private string Resolve(string path) => Path.GetFullPath(Path.Combine(Folder, path));
}
