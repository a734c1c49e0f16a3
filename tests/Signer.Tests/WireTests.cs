using System;
using System.Buffers.Binary;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Xunit;

namespace Exclaves.Signer.Tests;

/// <summary>Bytes that no client of Signer would send: each has an answer, and the next call works.</summary>
public class WireTests
{
    [Fact]
    public async Task EveryByteOfARequestIsChecked()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        using TestSession session = host.Open();
        SignerClient<TestSession> signer = new(session);
        Assert.Equal(Status.Ok, signer.Generate(new byte[128], out _));
        Assert.Equal(Status.Ok, signer.Sign(new byte[32], new byte[72], out _));
        byte[] sound = session.Request[..BinaryPrimitives.ReadInt32LittleEndian(session.Request[12..])].ToArray();
        Assert.Equal(Status.Ok, session.StatusOf(sound));

        Assert.Equal(Status.BadArgument, session.StatusOf(sound.AsSpan(0, sound.Length - 1)));
        Assert.Equal(Status.BadArgument, session.StatusOf([.. sound, 0]));
        Assert.Equal(Status.BadArgument, session.StatusOf("not a request at all"u8));
        Assert.Equal(Status.BadArgument, session.StatusOf(Changed(sound, 0, 0x58)));       // magic
        Assert.Equal(Status.NotFound, session.StatusOf(Changed(sound, 4, 0x58)));          // interface
        Assert.Equal(Status.BadCall, session.StatusOf(Changed(sound, 10, 99)));            // operation
        Assert.Equal(Status.BadArgument, session.StatusOf(Changed(sound, 16, 1)));         // reserved
        Assert.Equal(Status.BadArgument, session.StatusOf(Changed(sound, 24, 73)));        // room for a signature, beyond its bound
        Assert.Equal(Status.Ok, signer.PublicKey(new byte[128], out _));
    }

    [Fact]
    public async Task RandomRequestsAreRefusedAndNothingElseHappens()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        using TestSession session = host.Open();
        Random random = new(1);
        byte[] request = new byte[200];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(request);
            Assert.NotEqual(Status.Ok, session.StatusOf(request.AsSpan(0, random.Next(request.Length))));
        }

        Assert.Equal(Status.NotFound, new SignerClient<TestSession>(session).PublicKey(new byte[128], out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is no frame of thirty-two bytes, nor the start of one")]
    public async Task ABrokenFrameEndsItsConnectionAlone(string bytes)
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new SignerService());
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(host.SocketPath));
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(bytes));
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await Receive(socket));
        await using Tightbeam.Sockets.SocketTransport next = await host.Connect();
        Assert.Equal(Status.Ok, new SignerClient<Tightbeam.Sockets.SocketTransport>(next).Generate(new byte[128], out _));
    }

    private static byte[] Changed(byte[] message, int offset, byte value)
    {
        byte[] copy = [.. message];
        copy[offset] = value;
        return copy;
    }

    private static async Task<int> Receive(Socket socket)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        try
        {
            return await socket.ReceiveAsync(new byte[1], limit.Token);
        }
        catch (SocketException)
        {
            return 0; // reset: as good an end
        }
    }
}
