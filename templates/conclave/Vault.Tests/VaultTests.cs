using System;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;
using Xunit;

namespace Vault.Tests;

/// <summary>The conclave's service on this machine, through the loop that it has in the secure world.</summary>
public class VaultTests
{
    [Fact]
    public async Task ASealIsGenuineForItsTextAlone()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VaultService());
        using TestSession session = host.Open();
        VaultClient<TestSession> vault = new(session);
        byte[] tag = new byte[32];
        Assert.True(vault.Seal("hello"u8, tag, out int bytes).Succeeded);
        Assert.Equal(32, bytes);

        Assert.True(vault.Check("hello"u8, tag, out bool isGenuine).Succeeded);
        Assert.True(isGenuine);
        Assert.True(vault.Check("hullo"u8, tag, out isGenuine).Succeeded);
        Assert.False(isGenuine);
    }

    [Fact]
    public async Task WhatIsWrongIsATypedError()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VaultService());
        await using SocketTransport transport = await host.Connect();
        VaultClient<SocketTransport> vault = new(transport);
        Assert.Equal(VaultError.NoText, vault.Seal(default, new byte[32], out _).Error);
        TightbeamException refused = Assert.Throws<TightbeamException>(() => vault.Require(vault.Seal("hello"u8, new byte[3], out _)));
        Assert.Equal(Status.BadArgument, refused.Status);
    }

    [Fact]
    public async Task BytesThatAreNoRequestAreRefused()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new VaultService());
        using TestSession session = host.Open();
        Assert.Equal(Status.BadArgument, session.StatusOf("not a request"u8));
    }
}
