using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.JsonStore;

/// <summary>One client's store. Arguments are checked before a method runs, and calls come one at a time.</summary>
internal sealed class JsonStoreSession(Room room) : IJsonStore, IDisposable
{
    private const int MaxBytes = 3072;

    private readonly SortedDictionary<string, byte[]> _documents = new(StringComparer.Ordinal);
    private readonly FieldIndex _index = new();
    private int _bytes;

    public Result<StoreError> Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> document, out bool isNew)
    {
        string name = Encoding.UTF8.GetString(key);
        isNew = !_documents.ContainsKey(name);
        return TryRead(document) is { } fields ? Store(name, fields) : StoreError.NotJson;
    }

    public Result<StoreError> Get(ReadOnlySpan<byte> key, Span<byte> document, out int bytes)
    {
        bytes = 0;
        if (!_documents.TryGetValue(Encoding.UTF8.GetString(key), out byte[]? stored))
        {
            return StoreError.NotFound;
        }

        // A buffer that is too small is an ArgumentException, and that is Status.BadArgument at the caller.
        stored.CopyTo(document);
        bytes = stored.Length;
        return StoreError.None;
    }

    public Result<StoreError> Find(ReadOnlySpan<byte> field, ReadOnlySpan<byte> value, Span<byte> keys, out int bytes, out uint found)
    {
        IReadOnlyCollection<string> all = _index.Find(Encoding.UTF8.GetString(field), Encoding.UTF8.GetString(value));
        found = (uint)all.Count;
        List<string> some = [.. all];
        byte[] answer = JsonSerializer.SerializeToUtf8Bytes(some, StoreJson.Default.ListString);
        while (answer.Length > keys.Length && some.Count > 0)
        {
            some.RemoveRange(some.Count / 2, some.Count - (some.Count / 2));
            answer = JsonSerializer.SerializeToUtf8Bytes(some, StoreJson.Default.ListString);
        }

        answer.CopyTo(keys);
        bytes = answer.Length;
        return StoreError.None;
    }

    public Result<StoreError> Delete(ReadOnlySpan<byte> key)
    {
        string name = Encoding.UTF8.GetString(key);
        if (!_documents.TryGetValue(name, out byte[]? stored))
        {
            return StoreError.NotFound;
        }

        _index.Remove(name, TryRead(stored)!);
        _documents.Remove(name);
        Take(-stored.Length);
        return StoreError.None;
    }

    public Result<StoreError> Add(ReadOnlySpan<byte> field, long amount, out uint changed)
    {
        changed = 0;
        string name = Encoding.UTF8.GetString(field);
        foreach (string key in _documents.Keys.ToArray())
        {
            Dictionary<string, JsonElement> document = TryRead(_documents[key])!;
            if (document.TryGetValue(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number))
            {
                document[name] = JsonSerializer.SerializeToElement(unchecked(number + amount), StoreJson.Default.Int64);
                StoreError error = Store(key, document);
                if (error != StoreError.None)
                {
                    return error;
                }

                changed++;
            }
        }

        return StoreError.None;
    }

    public Result<StoreError> Count(out uint documents, out ulong documentBytes, out ulong allocatedBytes, out uint collections)
    {
        documents = (uint)_documents.Count;
        documentBytes = (ulong)_bytes;
        allocatedBytes = (ulong)GC.GetTotalAllocatedBytes();
        collections = (uint)GC.CollectionCount(0);
        return StoreError.None;
    }

    public void Dispose() => Take(-_bytes);

    /// <summary>The fields of a document; null when it is none.</summary>
    private static Dictionary<string, JsonElement>? TryRead(ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, StoreJson.Default.DictionaryStringJsonElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private StoreError Store(string key, Dictionary<string, JsonElement> fields)
    {
        byte[] document = JsonSerializer.SerializeToUtf8Bytes(fields, StoreJson.Default.DictionaryStringJsonElement);
        if (document.Length > MaxBytes)
        {
            return StoreError.TooLong;
        }

        byte[]? old = _documents.GetValueOrDefault(key);
        if (!Take(document.Length - (old?.Length ?? 0)))
        {
            return StoreError.Full;
        }

        if (old != null)
        {
            _index.Remove(key, TryRead(old)!);
        }

        _documents[key] = document;
        _index.Add(key, fields);
        return StoreError.None;
    }

    private bool Take(int more)
    {
        bool isThere = room.TryTake(more);
        _bytes += isThere ? more : 0;
        return isThere;
    }
}
