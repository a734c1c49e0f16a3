using System;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.Workers;

/// <summary>Work that a conclave divides among four workers. Each session has data of its own.</summary>
[Tightbeam(id: 0x10124E25, version: 1)]
public interface IWorkers
{
    /// <summary>Adds to the session's data.</summary>
    [Op(1)]
    Result<WorkersError> Append([Max(3072)] ReadOnlySpan<byte> part);

    /// <summary>The root of the Merkle tree (SHA-256) over the data in leaves of so many bytes. The data stays.</summary>
    [Op(2, Idempotent = true)]
    Result<WorkersError> MerkleRoot(uint leafBytes, [Max(32)] Span<byte> root, [LengthOf(nameof(root))] out int bytes, out WorkShares shares);

    /// <summary>How many primes there are from <paramref name="from"/> up to, not including, <paramref name="below"/>.</summary>
    [Op(3, Idempotent = true)]
    Result<WorkersError> CountPrimes(uint from, uint below, out uint count);
}
