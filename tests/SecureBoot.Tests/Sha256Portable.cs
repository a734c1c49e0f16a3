using System;
using Exclaves.Sptm;

namespace Exclaves.SecureBoot.Tests;

/// <summary>The client library's compression function: stands in for the CPU's instructions on the build machine.</summary>
public readonly struct Sha256Portable : ISha256Blocks
{
    private const int BlockBytes = 64;

    public static void Compress(Span<uint> state, ReadOnlySpan<byte> blocks)
    {
        for (; blocks.Length >= BlockBytes; blocks = blocks[BlockBytes..])
        {
            Client.Sha256.Compress(state, blocks);
        }
    }
}
