using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Exclaves.Samples.JsonStore;

/// <summary>What is read and written as JSON; the compiler makes the code, since a conclave has no reflection to make it from.</summary>
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(long))]
internal sealed partial class StoreJson : JsonSerializerContext;
