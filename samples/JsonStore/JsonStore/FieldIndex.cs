using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Exclaves.Samples.JsonStore;

/// <summary>Which documents have which value in which field.</summary>
internal sealed class FieldIndex
{
    private readonly Dictionary<(string Field, string Value), SortedSet<string>> _keys = [];

    public void Add(string key, Dictionary<string, JsonElement> document)
    {
        foreach ((string field, JsonElement value) in document)
        {
            if (IsIndexed(value))
            {
                (string, string) entry = (field, value.GetRawText());
                if (!_keys.TryGetValue(entry, out SortedSet<string>? keys))
                {
                    _keys[entry] = keys = new SortedSet<string>(StringComparer.Ordinal);
                }

                keys.Add(key);
            }
        }
    }

    public void Remove(string key, Dictionary<string, JsonElement> document)
    {
        foreach ((string field, JsonElement value) in document)
        {
            (string, string) entry = (field, value.GetRawText());
            if (_keys.TryGetValue(entry, out SortedSet<string>? keys) && keys.Remove(key) && keys.Count == 0)
            {
                _keys.Remove(entry);
            }
        }
    }

    public IReadOnlyCollection<string> Find(string field, string value) => _keys.TryGetValue((field, value), out SortedSet<string>? keys) ? keys : [];

    private static bool IsIndexed(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);
}
