using System;
using Exclaves.Interfaces;
using Exclaves.Runtime;

namespace Exclaves.Hello;

/// <summary>Other components have the same interface as Linux's clients.</summary>
internal readonly struct HelloPeers : IPeerService
{
    public static int Serve(ulong badge, scoped ReadOnlySpan<byte> request, scoped Span<byte> response)
    {
        HelloCalls calls = default;
        return TightbeamServer.ServePeer<HelloCalls, HelloDispatcher<HelloCalls>>(request, response, ref calls);
    }
}
