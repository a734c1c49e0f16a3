using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Exclaves.Samples.JsonStore;

/// <summary>What the store should answer: the same documents as values, their JSON written by hand.</summary>
internal sealed class ModelStore
{
    private readonly SortedDictionary<string, (string City, long Stock, string Text)> _documents = new(StringComparer.Ordinal);

    public int Count => _documents.Count;

    public int Bytes => _documents.Values.Sum(document => Json(document).Length);

    /// <returns>Whether there was none with the key.</returns>
    public bool Put(string key, string city, long stock, string text)
    {
        bool isNew = !_documents.ContainsKey(key);
        _documents[key] = (city, stock, text);
        return isNew;
    }

    /// <summary>The document as the store has it; null: none.</summary>
    public string? Get(string key) => _documents.TryGetValue(key, out (string, long, string) document) ? Json(document) : null;

    public bool Delete(string key) => _documents.Remove(key);

    public string[] InCity(string city) => [.. _documents.Where(pair => pair.Value.City == city).Select(pair => pair.Key)];

    public int Add(long amount)
    {
        foreach (string key in _documents.Keys.ToArray())
        {
            (string city, long stock, string text) = _documents[key];
            _documents[key] = (city, stock + amount, text);
        }

        return _documents.Count;
    }

    private static string Json((string City, long Stock, string Text) document) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"city\":\"{document.City}\",\"stock\":{document.Stock},\"text\":\"{document.Text}\",\"parts\":[1,2,{{\"of\":null}}]}}");
}
