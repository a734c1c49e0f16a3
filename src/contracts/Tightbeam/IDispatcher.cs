using System;

namespace Exclaves.Tightbeam;

/// <summary>Generated for each interface: turns a request into a call of a service, and its outcome into an answer.</summary>
public interface IDispatcher<TService>
{
    static abstract uint InterfaceId { get; }

    static abstract ushort Version { get; }

    /// <returns>Bytes of <paramref name="response"/> that are the answer: always one, if at least a header fits; else 0.</returns>
    static abstract int Dispatch(ref TService service, scoped ReadOnlySpan<byte> request, scoped Span<byte> response, scoped ref Attachments attachments);
}
