using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Xunit;

namespace Exclaves.Samples.Workers.Tests;

/// <summary>The workers on this machine, through the loop that the conclave has in the secure world.</summary>
public class WorkersTests
{
    [Theory, InlineData(1), InlineData(4)]
    public async Task EveryCallerGetsItsOwnAnswers(int callers)
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new WorkersService(), threads: 4);
        WorkersCheck<TestSession>[] checks = new WorkersCheck<TestSession>[callers];
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(caller => new Thread(() =>
        {
            using TestSession session = host.Open();
            checks[caller] = new WorkersCheck<TestSession>(session, caller);
            for (int i = 0; i < 5; i++)
            {
                checks[caller].Round();
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(checks, check => Assert.Equal((10, 0), (check.Answers, check.Wrong)));
        Assert.Contains(checks, check => check.Shared > 0);
    }

    [Fact]
    public async Task WhatIsTooMuchIsRefused()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new WorkersService(), threads: 4);
        using TestSession session = host.Open();
        WorkersClient<TestSession> workers = new(session);
        byte[] root = new byte[32];
        Assert.Equal(WorkersError.NoLeaves, workers.MerkleRoot(64, root, out _, out _).Error);
        Assert.Equal(WorkersError.TooMany, workers.CountPrimes(0, uint.MaxValue, out _).Error);
        Assert.True(workers.CountPrimes(10, 2, out uint none).Succeeded);
        Assert.Equal(0u, none);

        byte[] part = new byte[3072];
        int parts = 0;
        while (workers.Append(part).Succeeded)
        {
            parts++;
        }

        Assert.Equal((256 << 10) / part.Length, parts);
        Assert.Equal(WorkersError.NoLeaves, workers.MerkleRoot(0, root, out _, out _).Error);
        Assert.True(workers.MerkleRoot(uint.MaxValue, root, out int bytes, out WorkShares shares).Succeeded);
        Assert.Equal((32, 1u), (bytes, shares.Sum));
    }
}
