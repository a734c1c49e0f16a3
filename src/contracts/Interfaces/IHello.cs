using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Interfaces;

/// <summary>Hello as a Tightbeam interface: the same work as its numbered operations, in a freestanding service.</summary>
[Tightbeam(id: 0x4845_4C4F, version: 1)]
public interface IHello
{
    /// <summary>Answers what it was asked.</summary>
    [Op(1, Idempotent = true)]
    Status Echo(ulong a, ulong b, out ulong a2, out ulong b2);

    /// <summary><see cref="HelloTransform.Word"/> of each word.</summary>
    /// <returns><see cref="Status.BadArgument"/> when the buffers differ in length.</returns>
    [Op(2, Idempotent = true)]
    Status Transform([Max(128)] ReadOnlySpan<ulong> input, [Max(128)] Span<ulong> output);

    /// <summary>Four integers and a text of bytes: what a call costs that carries something (figure tightbeam.encode_decode).</summary>
    [Op(3, Idempotent = true)]
    Status Sum(uint a, uint b, ulong c, ulong d, [Max(256)] ReadOnlySpan<byte> data, out ulong sum);
}
