using System;
using System.Collections.Generic;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.Workers;

/// <summary>One client's data. Its calls come one at a time; those of other sessions run beside them.</summary>
internal sealed class WorkersSession : IWorkers
{
    private const int MaxDataBytes = 256 << 10;
    private const uint MaxNumbers = 1_000_000;

    private readonly List<byte> _data = [];

    public Result<WorkersError> Append(ReadOnlySpan<byte> part)
    {
        if (part.Length > MaxDataBytes - _data.Count)
        {
            return WorkersError.TooLong;
        }

        _data.AddRange(part);
        return WorkersError.None;
    }

    public Result<WorkersError> MerkleRoot(uint leafBytes, Span<byte> root, out int bytes, out WorkShares shares)
    {
        (bytes, shares) = (0, default);
        if (leafBytes == 0 || _data.Count == 0)
        {
            return WorkersError.NoLeaves;
        }

        // Operations are synchronous: the caller's thread waits while the tasks work, and helps when Linux has no CPU for them.
        (byte[] hash, uint[] done) = MerkleTree.Root(_data.ToArray(), (int)Math.Min(leafBytes, (uint)_data.Count)).GetAwaiter().GetResult();
        hash.CopyTo(root);
        bytes = hash.Length;
        shares = new WorkShares(done[0], done[1], done[2], done[3]);
        return WorkersError.None;
    }

    public Result<WorkersError> CountPrimes(uint from, uint below, out uint count)
    {
        count = 0;
        if (below > from && below - from > MaxNumbers)
        {
            return WorkersError.TooMany;
        }

        count = Primes.Count(from, below);
        return WorkersError.None;
    }
}
