using System;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>Carries one call at a time, in buffers of its own, so that a call needs no other.</summary>
/// <remarks>Freestanding code names it as a constraint of a struct type parameter, never as the type of a value.</remarks>
public interface ITransport
{
    /// <summary>Where the next request is written.</summary>
    Span<byte> Request { get; }

    /// <summary>The last answer, until the next call. Nobody has looked at it.</summary>
    ReadOnlySpan<byte> Response { get; }

    /// <summary>Sends the first <paramref name="requestBytes"/> of <see cref="Request"/> and waits for the answer.</summary>
    /// <returns>Ok when an answer came, whatever it says; then <see cref="Response"/> is the answer, else it is empty.</returns>
    Status Call(int requestBytes, scoped ref Attachments attachments);
}
