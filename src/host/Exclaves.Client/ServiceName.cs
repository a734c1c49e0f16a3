using System;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>A service as clients name it: UUID, and a word for messages.</summary>
public readonly struct ServiceName
{
    public ServiceName(Guid uuid, string label)
    {
        Uuid = uuid;
        Label = label;
    }

    public Guid Uuid { get; }

    public string Label { get; }

    public static ServiceName Hello => new(Guid.Parse(Services.Hello), "Hello");

    public static ServiceName Signer => new(Guid.Parse(Services.Signer), "Signer");

    public static ServiceName Log => new(Guid.Parse(Services.Log), "Log");

    public static ServiceName Statistics => new(Guid.Parse(Services.Statistics), "Statistics");

    public override string ToString() => $"{Label} ({Uuid})";
}
