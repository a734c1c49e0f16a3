using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Kit;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Exclaves.Signer.Tests;

/// <summary>What the development host does for any conclave: calls at once, and its log.</summary>
public class HostTests
{
    private const int Threads = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>None is answered before all are inside.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task AsManyCallsAreServedAtOnceAsItHasThreads(bool overSocket)
    {
        using Barrier inside = new(Threads);
        await using ExclaveTestHost host = ExclaveTestHost.Start(Meeting.Service(inside), Threads);
        Task<Status>[] calls = new Task<Status>[Threads];
        for (int i = 0; i < Threads; i++)
        {
            calls[i] = overSocket ? Call(await host.Connect()) : Call(host.Open());
        }

        Assert.Equal([Status.Ok, Status.Ok, Status.Ok, Status.Ok], await Task.WhenAll(calls));
    }

    /// <summary>As in the secure world: one thread, one call.</summary>
    [Fact]
    public async Task OneThreadServesOneCallAtATime()
    {
        using Barrier inside = new(2);
        await using ExclaveTestHost host = ExclaveTestHost.Start(Meeting.Service(inside, TimeSpan.FromMilliseconds(200)));
        Assert.Equal([Status.Busy, Status.Busy], await Task.WhenAll(Call(host.Open()), Call(host.Open())));
    }

    [Fact]
    public void WhatIsLoggedIsALineOfStandardError()
    {
        TextWriter before = Console.Error;
        using StringWriter errors = new();
        Console.SetError(errors);
        try
        {
            ILogger logger = new ConclaveLoggerProvider(LogLevel.Debug).CreateLogger("Vault");
            logger.LogWarning("{User} has {Count} keys", "admin", 3.AsPublic());
            logger.LogTrace("too little");
        }
        finally
        {
            Console.SetError(before);
        }

        Assert.Equal("Warning: Vault: admin has 3 keys\n", errors.ToString());
    }

    private static Task<Status> Call<TTransport>(TTransport transport)
        where TTransport : ITransport, IDisposable => Task.Factory.StartNew(
            () =>
            {
                using (transport)
                {
                    return new SignerClient<TTransport>(transport).Generate(new byte[128], out _);
                }
            },
            TaskCreationOptions.LongRunning);

    /// <summary>A signer whose callers wait for each other.</summary>
    private sealed class Meeting(Barrier inside, TimeSpan patience) : ISigner
    {
        public static ConclaveService Service(Barrier inside, TimeSpan? patience = null) =>
            new TightbeamService<ISigner, SignerDispatcher<ISigner>>(() => new Meeting(inside, patience ?? Patience));

        public Status Generate(Span<byte> publicKey, out int bytes)
        {
            bytes = 0;
            return inside.SignalAndWait(patience) ? Status.Ok : Status.Busy;
        }

        public Status Sign(ReadOnlySpan<byte> digest, Span<byte> signature, out int bytes) => throw new NotSupportedException();

        public Status PublicKey(Span<byte> publicKey, out int bytes) => throw new NotSupportedException();
    }
}
