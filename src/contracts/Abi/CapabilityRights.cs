using System;

namespace Exclaves.Abi;

/// <summary>What the holder of a capability may do with the object. <see cref="SecureCall.Derive"/> keeps those that its x2 names.</summary>
[Flags]
public enum CapabilityRights : byte
{
    None = 0,

    /// <summary>Endpoint: call. Notification: signal.</summary>
    Send = 1,

    /// <summary>Endpoint: receive. Notification: wait.</summary>
    Receive = 2,
    Map = 4,
    Use = 8,

    /// <summary>Frame, with <see cref="Map"/>: writable.</summary>
    Write = 16,

    /// <summary>Endpoint: a capability can go along with a message.</summary>
    Grant = 32,
    All = 63,
}
