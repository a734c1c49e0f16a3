using System;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.JsonStore;

/// <summary>JSON documents by key, and an index of what their fields hold. Each session has a store of its own.</summary>
[Tightbeam(id: 0x1DC57042, version: 1)]
public interface IJsonStore
{
    /// <summary>Stores a document in place of the one that had the key.</summary>
    /// <param name="document">An object. It is stored as it is understood: without white space.</param>
    [Op(1)]
    Result<StoreError> Put([Utf8, Max(64)] ReadOnlySpan<byte> key, [Utf8, Max(3072)] ReadOnlySpan<byte> document, out bool isNew);

    [Op(2, Idempotent = true)]
    Result<StoreError> Get([Utf8, Max(64)] ReadOnlySpan<byte> key, [Max(3072)] Span<byte> document, [LengthOf(nameof(document))] out int bytes);

    /// <summary>Keys of the documents whose field has this value, in order.</summary>
    /// <param name="field">Of the document itself, not of what is in it.</param>
    /// <param name="value">JSON: 7, "seven", true, null.</param>
    /// <param name="keys">A JSON array of as many keys as fit.</param>
    /// <param name="found">How many there are.</param>
    [Op(3, Idempotent = true)]
    Result<StoreError> Find(
        [Utf8, Max(64)] ReadOnlySpan<byte> field,
        [Utf8, Max(512)] ReadOnlySpan<byte> value,
        [Max(2048)] Span<byte> keys,
        [LengthOf(nameof(keys))] out int bytes,
        out uint found);

    [Op(4)]
    Result<StoreError> Delete([Utf8, Max(64)] ReadOnlySpan<byte> key);

    /// <summary>Adds to a field of all documents that have a whole number there.</summary>
    [Op(5)]
    Result<StoreError> Add([Utf8, Max(64)] ReadOnlySpan<byte> field, long amount, out uint changed);

    /// <summary>What the store holds, and what the conclave has allocated since its start.</summary>
    [Op(6, Idempotent = true)]
    Result<StoreError> Count(out uint documents, out ulong documentBytes, out ulong allocatedBytes, out uint collections);
}
