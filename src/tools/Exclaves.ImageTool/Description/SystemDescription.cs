using System;
using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Description;

/// <summary>A system as its JSON file declares it, with every rule checked that needs no binary.</summary>
/// <param name="File">Where it came from, for messages.</param>
/// <param name="Sptm">Flat binary of the monitor; paths are relative to the artifacts folder.</param>
/// <param name="Txm">ELF of the image's verifier.</param>
/// <param name="Sk">ELF of the secure kernel.</param>
/// <param name="Kit">ELF of ExclaveKit; null when no component is a .NET program.</param>
/// <param name="PoolBytes">Memory at the top of RAM that belongs to the secure world.</param>
/// <param name="Policy">Whether a panic of the secure world stops the machine.</param>
public sealed record SystemDescription(
    string File,
    string Sptm,
    string Txm,
    string Sk,
    string? Kit,
    ulong PoolBytes,
    ImagePolicy Policy,
    IReadOnlyList<ComponentDescription> Components,
    IReadOnlyList<ServiceDescription> Services);

/// <summary>One protection domain at secure EL0.</summary>
/// <param name="Place">JSON path, for messages about its program.</param>
/// <param name="DonatedBytes">Memory of Linux that it may ask for beyond its quota.</param>
/// <param name="Threads">That SK starts.</param>
/// <param name="MaxThreads">That it may have at once, with those that it starts itself.</param>
/// <param name="Grants">What the image's table states. What follows from the services SK adds (<see cref="Layout.Holdings"/>).</param>
public sealed record ComponentDescription(
    string Place,
    string Name,
    ComponentKind Kind,
    ComponentFlags Flags,
    string Program,
    ulong QuotaBytes,
    ulong DonatedBytes,
    uint Threads,
    uint MaxThreads,
    IReadOnlyList<GrantEntry> Grants);

/// <summary>A service that Linux can name.</summary>
public sealed record ServiceDescription(string Name, Guid Uuid, int Component, uint ProxySlot, bool OnBus);
