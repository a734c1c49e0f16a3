using System;
using System.Linq;
using System.Security.Cryptography;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace Exclaves.Samples.Workers;

/// <summary>A Merkle tree whose leaves four tasks take from a channel. Leaves and nodes are hashed differently (RFC 6962), a node without a neighbour moves up.</summary>
internal static class MerkleTree
{
    public const int Workers = 4;

    /// <summary>What a producer may be ahead.</summary>
    private const int Waiting = 16;

    /// <returns>The root, and how many leaves each worker has hashed.</returns>
    public static async Task<(byte[] Root, uint[] Done)> Root(byte[] data, int leafBytes)
    {
        byte[][] level = new byte[(data.Length + leafBytes - 1) / leafBytes][];
        Channel<int> leaves = Channel.CreateBounded<int>(Waiting);

        // All four wait before there is a leaf: the channel gives the first to each in turn.
        Task<uint>[] workers = [.. Enumerable.Range(0, Workers).Select(_ => HashLeaves(leaves.Reader, data, leafBytes, level))];
        for (int leaf = 0; leaf < level.Length; leaf++)
        {
            await leaves.Writer.WriteAsync(leaf).ConfigureAwait(false);
        }

        leaves.Writer.Complete();
        uint[] done = await Task.WhenAll(workers).ConfigureAwait(false);
        while (level.Length > 1)
        {
            byte[][] below = level;
            level = new byte[(below.Length + 1) / 2][];
            Parallel.For(0, level.Length, new ParallelOptions { MaxDegreeOfParallelism = Workers }, node =>
                level[node] = (2 * node) + 1 < below.Length ? SHA256.HashData([1, .. below[2 * node], .. below[(2 * node) + 1]]) : below[2 * node]);
        }

        return (level[0], done);
    }

    private static async Task<uint> HashLeaves(ChannelReader<int> leaves, byte[] data, int leafBytes, byte[][] hashes)
    {
        uint done = 0;
        while (true)
        {
            int leaf;
            try
            {
                leaf = await leaves.ReadAsync().ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                return done;
            }

            int start = leaf * leafBytes;
            hashes[leaf] = SHA256.HashData([0, .. data.AsSpan(start, Math.Min(leafBytes, data.Length - start))]);
            done++;
        }
    }
}
