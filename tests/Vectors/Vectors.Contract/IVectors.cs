using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Vectors;

/// <summary>Does what a test vector says, with System.Security.Cryptography as it is where the service runs.</summary>
[Tightbeam(id: 0x15EC7012, version: 2)]
public interface IVectors
{
    /// <summary>Puts a part before what the next <see cref="Compute"/> of the session gets: for input that is longer than a message.</summary>
    [Op(1)]
    Result<VectorsError> Append([Max(3072)] ReadOnlySpan<byte> part);

    /// <summary>Computes; the input is what was appended and <paramref name="rest"/>, in the form of <see cref="FieldWriter"/>.</summary>
    /// <param name="answer">The result, or the name of the exception's type.</param>
    [Op(2)]
    Result<VectorsError> Compute(
        Computation computation,
        [Max(2048)] ReadOnlySpan<byte> rest,
        [Max(1280)] Span<byte> answer,
        [LengthOf(nameof(answer))] out int bytes,
        out Outcome outcome);

    /// <summary>Byte i of <paramref name="to"/> becomes <see cref="LentByte.Of"/> that of <paramref name="from"/>: buffers of the caller that are longer than a message.</summary>
    /// <returns><see cref="Status.BadArgument"/> when they differ in length.</returns>
    [Op(3, Since = 2, Idempotent = true)]
    Status Transform([Max(1 << 19)] SharedBuffer from, [Writable, Max(1 << 19)] SharedBuffer to);
}
