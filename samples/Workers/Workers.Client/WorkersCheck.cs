using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Client;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.Workers;

/// <summary>Has the conclave work, and does the same on one thread here.</summary>
public sealed class WorkersCheck<TTransport>(TTransport transport, int seed)
    where TTransport : ITransport
{
    private const int PartBytes = 3072;
    private const int DataBytes = 48 << 10;
    private const uint MaxFrom = 3_000_000;
    private const uint Numbers = 20_000;

    private readonly WorkersClient<TTransport> _client = new(transport);
    private readonly Random _random = new(seed);
    private readonly List<byte> _data = [];

    public int Answers { get; private set; }

    public int Wrong { get; private set; }

    /// <summary>Rounds in which every worker had a share of the work.</summary>
    public int Shared { get; private set; }

    public void Round()
    {
        byte[] more = new byte[_random.Next(1, DataBytes / 2)];
        _random.NextBytes(more);
        foreach (byte[] part in more.Chunk(PartBytes))
        {
            if (_data.Count + part.Length <= DataBytes)
            {
                _client.Require(_client.Append(part));
                _data.AddRange(part);
            }
        }

        int leafBytes = _random.Next(64, 2048);
        byte[] root = new byte[Sha256.DigestBytes];
        _client.Require(_client.MerkleRoot((uint)leafBytes, root, out int bytes, out WorkShares shares));
        uint leaves = (uint)((_data.Count + leafBytes - 1) / leafBytes);
        Check(bytes == root.Length && root.AsSpan().SequenceEqual(Root([.. _data.Chunk(leafBytes).Select(leaf => Hash([0, .. leaf]))])) && shares.Sum == leaves);
        Shared += Math.Min(Math.Min(shares.First, shares.Second), Math.Min(shares.Third, shares.Fourth)) > 0 ? 1 : 0;

        uint from = (uint)_random.Next((int)MaxFrom);
        _client.Require(_client.CountPrimes(from, from + Numbers, out uint count));
        Check(count == CountPrimes(from, from + Numbers));
    }

    private static byte[] Root(byte[][] level)
    {
        while (level.Length > 1)
        {
            level = [.. level.Chunk(2).Select(pair => pair.Length == 2 ? Hash([1, .. pair[0], .. pair[1]]) : pair[0])];
        }

        return level[0];
    }

    /// <summary>A program of the guest has no cryptography of the system's.</summary>
    private static byte[] Hash(byte[] data)
    {
        using MemoryStream stream = new(data);
        return Sha256.Hash(stream);
    }

    /// <summary>By a sieve: another way than the conclave's.</summary>
    private static uint CountPrimes(uint from, uint below)
    {
        bool[] isComposite = new bool[below];
        uint count = 0;
        for (uint number = 2; number < below; number++)
        {
            count += !isComposite[number] && number >= from ? 1u : 0;
            for (ulong multiple = (ulong)number * number; !isComposite[number] && multiple < below; multiple += number)
            {
                isComposite[multiple] = true;
            }
        }

        return count;
    }

    private void Check(bool isRight)
    {
        Answers++;
        Wrong += isRight ? 0 : 1;
    }
}
