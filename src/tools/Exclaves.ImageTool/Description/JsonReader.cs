using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Exclaves.ImageTool.Description;

/// <summary>A JSON value that knows its path, and writes down what is wrong with it.</summary>
/// <remarks>Readers return a harmless value after a problem, so that one run finds them all.</remarks>
internal readonly struct JsonReader
{
    private readonly JsonElement _element;
    private readonly ProblemList _problems;

    public JsonReader(JsonElement element, string place, ProblemList problems)
    {
        _element = element;
        Place = place;
        _problems = problems;
    }

    public string Place { get; }

    public void Refuse(string rule) => _problems.Add(Place, rule);

    /// <summary>Checks that this is an object, without unknown or repeated members and with all that are required.</summary>
    public bool IsObject(IReadOnlyList<string> required, IReadOnlyList<string> optional)
    {
        if (_element.ValueKind != JsonValueKind.Object)
        {
            Refuse("must be an object.");
            return false;
        }

        HashSet<string> seen = [];
        foreach (JsonProperty member in _element.EnumerateObject())
        {
            if (!seen.Add(member.Name))
            {
                _problems.Add($"{Place}.{member.Name}", "is there twice.");
            }
            else if (!required.Contains(member.Name) && !optional.Contains(member.Name))
            {
                _problems.Add($"{Place}.{member.Name}", $"is not known here. Known: {string.Join(", ", required.Concat(optional))}.");
            }
        }

        foreach (string name in required.Where(r => !seen.Contains(r)))
        {
            Refuse($"must have the member \"{name}\".");
        }

        return required.All(seen.Contains);
    }

    public bool Has(string name) => _element.ValueKind == JsonValueKind.Object && _element.TryGetProperty(name, out _);

    public JsonReader Member(string name) => new(_element.GetProperty(name), $"{Place}.{name}", _problems);

    public IReadOnlyList<JsonReader> Items()
    {
        if (_element.ValueKind != JsonValueKind.Array)
        {
            Refuse("must be an array.");
            return [];
        }

        List<JsonReader> items = [];
        foreach (JsonElement item in _element.EnumerateArray())
        {
            items.Add(new JsonReader(item, $"{Place}[{items.Count}]", _problems));
        }

        return items;
    }

    public string Text()
    {
        if (_element.ValueKind == JsonValueKind.String && _element.GetString() is { Length: > 0 } text)
        {
            return text;
        }

        Refuse("must be a string that is not empty.");
        return "";
    }

    public bool Flag()
    {
        if (_element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return _element.GetBoolean();
        }

        Refuse("must be true or false.");
        return false;
    }

    public uint Number(uint minimum, uint maximum)
    {
        if (_element.ValueKind == JsonValueKind.Number && _element.TryGetUInt32(out uint number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Refuse($"must be a whole number from {minimum} to {maximum}.");
        return minimum;
    }

    /// <summary>A count of bytes with a unit: "64 MiB", "256 KiB".</summary>
    public ulong Bytes(ulong unit, string unitName)
    {
        ulong bytes = 0;
        string[] parts = Text().Split(' ');
        bool valid = parts.Length == 2
            && ulong.TryParse(parts[0], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out bytes)
            && bytes is > 0 and < 1ul << 24
            && parts[1] is "KiB" or "MiB" or "GiB";
        if (!valid)
        {
            Refuse("must be a size such as \"64 MiB\" (KiB, MiB or GiB).");
            return unit;
        }

        bytes <<= parts[1] switch { "KiB" => 10, "MiB" => 20, _ => 30 };
        if (bytes % unit != 0)
        {
            Refuse($"must be a multiple of {unitName}.");
        }

        return bytes;
    }
}

/// <summary>Collects what is wrong with one file.</summary>
internal sealed class ProblemList(string file)
{
    private readonly List<Problem> _problems = [];

    public bool IsEmpty => _problems.Count == 0;

    public void Add(string place, string rule) => _problems.Add(new Problem(file, place, rule));

    public void ThrowIfAny()
    {
        if (_problems.Count > 0)
        {
            throw new ImageToolException(_problems);
        }
    }
}
