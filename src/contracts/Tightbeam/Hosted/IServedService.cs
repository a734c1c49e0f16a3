using System;

namespace Exclaves.Tightbeam;

/// <summary>What a transport serves: one client's view of a service. Disposed when that client is gone.</summary>
public interface IServedService : IDisposable
{
    /// <returns>Bytes of the answer; never throws.</returns>
    int Serve(scoped ReadOnlySpan<byte> request, scoped Span<byte> response, scoped ref Attachments attachments);
}
