using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Tightbeam;

namespace Exclaves.Signer.Tests;

/// <summary>A signer whose every operation goes wrong in its own way.</summary>
internal sealed class TroubledSigner : ISigner, IDisposable
{
    public ManualResetEventSlim Go { get; } = new();

    public ManualResetEventSlim Entered { get; } = new();

    public ManualResetEventSlim Gone { get; } = new();

    public Status Generate(Span<byte> publicKey, out int bytes) => throw new UnauthorizedAccessException("not for you");

    public Status Sign(ReadOnlySpan<byte> digest, Span<byte> signature, out int bytes) => throw new TightbeamException(Status.Busy, "come back later");

    /// <summary>Waits until it may go on.</summary>
    public Status PublicKey(Span<byte> publicKey, out int bytes)
    {
        Entered.Set();
        Go.Wait();
        bytes = 0;
        return Status.Ok;
    }

    public void Dispose() => Gone.Set();
}
