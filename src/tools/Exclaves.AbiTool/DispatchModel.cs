using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exclaves.AbiTool;

/// <summary>dispatch.json as it is written: the one source of domains, dispatch tables and gate endpoints.</summary>
public sealed record DispatchModel(uint Version, IReadOnlyList<NamedNumber> Domains, IReadOnlyList<TableModel> Tables, GateModel Gate)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new NumberConverter() },
    };

    /// <exception cref="JsonException">A member is missing, unknown or of another kind.</exception>
    public static DispatchModel Parse(string json) => JsonSerializer.Deserialize<DispatchModel>(json, Options)!;

    /// <summary>Numbers as decimal numerals, or as text when hexadecimal reads better.</summary>
    private sealed class NumberConverter : JsonConverter<uint>
    {
        public override uint Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? uint.Parse(reader.GetString()!.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : reader.GetUInt32();

        public override void Write(Utf8JsonWriter writer, uint value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }
}

/// <param name="Number">Its number on the wire.</param>
public record NamedNumber(string Name, uint Number, string About);

/// <param name="Original">Name in the system that this one follows.</param>
/// <param name="Callers">Domains that may name the table in x16.</param>
/// <param name="Pseudo">The table has no functions: naming it is the call.</param>
/// <param name="Enum">Name of the enumeration of its functions.</param>
public sealed record TableModel(
    string Name,
    string Original,
    uint Number,
    IReadOnlyList<string> Callers,
    string About,
    bool Pseudo = false,
    string? Enum = null,
    string? Arguments = null,
    IReadOnlyList<FunctionModel>? Functions = null) : NamedNumber(Name, Number, About);

/// <param name="Handling">For calls of Linux: how the monitor serves it.</param>
/// <param name="Fatal">Mistakes that close the secure world.</param>
public sealed record FunctionModel(
    string Name,
    uint Number,
    string About,
    string? Handling = null,
    string? Arguments = null,
    string? Answers = null,
    string? Fatal = null) : NamedNumber(Name, Number, About);

public sealed record GateModel(IReadOnlyList<FunctionModel> Endpoints, IReadOnlyList<NamedNumber> Statuses);
