using System;

namespace Exclaves.Tightbeam.Sockets;

/// <summary>What a server allows its peers.</summary>
public sealed class SocketServerOptions
{
    /// <summary>Connections at one time; whoever comes beyond that is closed at once.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>From a frame's first byte to its last, and for the peer to take an answer.</summary>
    public TimeSpan FrameTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Told why a connection ended, if not by the peer's will.</summary>
    public Action<Exception>? Report { get; init; }
}
