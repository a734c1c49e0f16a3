using System;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;
using Xunit;

namespace Exclaves.Signer.Tests;

/// <summary>Signer through its own loop, in this process and over a socket.</summary>
public class SignerTests
{
    private static readonly byte[] Digest = SHA256.HashData("message"u8);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task AKeySignsForItsSessionAndNoOther()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        using TestSession session = host.Open();
        SignerClient<TestSession> signer = new(session);
        byte[] key = new byte[128];
        byte[] signature = new byte[72];
        Assert.Equal(Status.Ok, signer.Generate(key, out int keyBytes));
        Assert.Equal(Status.Ok, signer.Sign(Digest, signature, out int bytes));
        Assert.True(IsSignedWith(key.AsSpan(0, keyBytes), signature.AsSpan(0, bytes)));

        using TestSession other = host.Open();
        Assert.Equal(Status.NotFound, new SignerClient<TestSession>(other).Sign(Digest, signature, out _));
    }

    [Fact]
    public async Task TheSameOverASocket()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        await using SocketTransport transport = await host.Connect();
        SignerClient<SocketTransport> signer = new(transport);
        byte[] key = new byte[128];
        byte[] signature = new byte[72];
        Assert.Equal(Status.NotFound, signer.PublicKey(key, out _));
        signer.Require(signer.Generate(key, out int keyBytes));
        signer.Require(signer.Sign(Digest, signature, out int bytes));
        Assert.True(IsSignedWith(key.AsSpan(0, keyBytes), signature.AsSpan(0, bytes)));
        TightbeamException refused = Assert.Throws<TightbeamException>(() => signer.Require(signer.Sign(new byte[31], signature, out _)));
        Assert.Equal(Status.BadArgument, refused.Status);
    }

    [Fact]
    public async Task AKeyEndsWithItsConnectionAndLeavesRoomForAnother()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        byte[] key = new byte[128];
        using TestSession session = host.Open();
        SignerClient<TestSession> signer = new(session);
        SocketTransport[] others = new SocketTransport[SignerService.MaxKeys / 2];
        for (int i = 0; i < others.Length; i++)
        {
            others[i] = await host.Connect();
            Assert.Equal(Status.Ok, new SignerClient<SocketTransport>(others[i]).Generate(key, out _));
        }

        TestSession[] more = new TestSession[SignerService.MaxKeys / 2];
        for (int i = 0; i < more.Length; i++)
        {
            more[i] = host.Open();
            Assert.Equal(Status.Ok, new SignerClient<TestSession>(more[i]).Generate(key, out _));
        }

        Assert.Equal(Status.NoMemory, signer.Generate(key, out _));
        await others[0].DisposeAsync();
        Assert.True(SpinWait.SpinUntil(() => host.Connections == others.Length - 1, Patience));
        Assert.Equal(Status.Ok, signer.Generate(key, out _));

        Array.ForEach(others, transport => transport.Dispose());
        Array.ForEach(more, opened => opened.Dispose());
    }

    [Fact]
    public async Task WhatAServiceThrowsIsATypedErrorAndTheConclaveLivesOn()
    {
        await using ExclaveTestHost host = Start(ServiceText.Shown, out _);
        using TestSession session = host.Open();
        SignerClient<TestSession> signer = new(session);
        TightbeamException refused = Assert.Throws<TightbeamException>(() => signer.Require(signer.Sign(Digest, new byte[72], out _)));
        Assert.Equal((Status.Busy, "come back later"), (refused.Status, refused.Text));
        refused = Assert.Throws<TightbeamException>(() => signer.Require(signer.Generate(new byte[128], out _)));
        Assert.Equal((Status.Denied, "not for you"), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task AnImageKeepsTheWordsToItself()
    {
        await using ExclaveTestHost host = Start(ServiceText.Redacted, out _);
        using TestSession session = host.Open();
        SignerClient<TestSession> signer = new(session);
        TightbeamException refused = Assert.Throws<TightbeamException>(() => signer.Require(signer.Sign(Digest, new byte[72], out _)));
        Assert.Equal((Status.Busy, ""), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task ACallerThatGivesUpIsFreeAtOnce()
    {
        await using ExclaveTestHost host = Start(ServiceText.Shown, out TroubledSigner service);
        await using SocketTransport transport = await host.Connect();
        SignerAsyncClient signer = new(transport);
        using CancellationTokenSource stop = new();
        Task call = signer.PublicKeyAsync(new byte[128], Deadline.None, stop.Token);
        Assert.True(service.Entered.Wait(Patience));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        TightbeamException late = await Assert.ThrowsAsync<TightbeamException>(
            () => signer.PublicKeyAsync(new byte[128], Deadline.After(TimeSpan.FromMilliseconds(50)), CancellationToken.None));
        Assert.Equal(Status.TimedOut, late.Status);
        service.Go.Set();
        Assert.Equal(0, await signer.PublicKeyAsync(new byte[128], Deadline.After(Patience), CancellationToken.None));
    }

    [Fact]
    public async Task AServiceLearnsThatItsClientLeftAndAClientThatItsServiceDid()
    {
        ExclaveTestHost host = Start(ServiceText.Shown, out TroubledSigner service);
        SocketTransport first = await host.Connect();
        Assert.Equal(Status.Busy, new SignerClient<SocketTransport>(first).Sign(Digest, new byte[72], out _));
        await first.DisposeAsync();
        Assert.True(service.Gone.Wait(Patience));

        await using SocketTransport second = await host.Connect();
        Assert.Equal(Status.Busy, new SignerClient<SocketTransport>(second).Sign(Digest, new byte[72], out _));
        await host.DisposeAsync();
        Assert.Equal(Status.PeerDied, new SignerClient<SocketTransport>(second).Sign(Digest, new byte[72], out _));
    }

    private static ExclaveTestHost Start(ServiceText text, out TroubledSigner service)
    {
        TroubledSigner troubled = new();
        service = troubled;
        return ExclaveTestHost.Start(new Exclaves.Kit.TightbeamService<ISigner, SignerDispatcher<ISigner>>(() => troubled, text));
    }

    private static bool IsSignedWith(ReadOnlySpan<byte> key, ReadOnlySpan<byte> signature)
    {
        using ECDsa verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key, out _);
        return verifier.VerifyHash(Digest, signature, DSASignatureFormat.Rfc3279DerSequence);
    }
}
