using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Signer;
using Exclaves.Tightbeam.Sample;
using Exclaves.Tightbeam.Sockets;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>Calls over a Unix socket: concurrent, late, given up, and with a peer that breaks the rules.</summary>
public sealed class SocketTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"tb-{Guid.NewGuid():N}"[..20]);
    private readonly List<SlowService> _services = [];
    private readonly List<Exception> _reported = [];
    private SocketServer _server = null!;

    public Task InitializeAsync()
    {
        _server = new SocketServer(
            _path,
            _ =>
            {
                SlowService service = new();
                lock (_services)
                {
                    _services.Add(service);
                }

                return new GuardedService<ISample, SampleDispatcher<ISample>>(service, ServiceText.Shown);
            },
            new SocketServerOptions
            {
                MaxConnections = 8,
                FrameTime = TimeSpan.FromSeconds(1),
                Report = error =>
                {
                    lock (_reported)
                    {
                        _reported.Add(error);
                    }
                },
            });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        foreach (SlowService service in Services())
        {
            service.Go.Set();
        }

        await _server.DisposeAsync();
        Assert.False(File.Exists(_path));
        Assert.All(Services(), s => Assert.True(s.Inner.IsDisposed));
    }

    [Fact]
    public async Task CallsThatWait()
    {
        using SocketTransport transport = await SocketTransport.Connect(_path);
        SampleClient<SocketTransport> client = new(transport);
        Assert.Equal(Status.Ok, client.Four(1, 2, 3, 4, new byte[256], out ulong sum));
        Assert.Equal(266ul, sum);
        byte[] greeting = new byte[48];
        Assert.Equal(Status.Ok, client.Text("Ada"u8, greeting, out int length));
        Assert.Equal("Hello, Ada", Encoding.UTF8.GetString(greeting, 0, length));
        Assert.Equal(Status.NotFound, client.Misbehave(6, default, out _, out _));
        Assert.Equal("there is no key 'alpha'", Encoding.UTF8.GetString(client.FailureText));
        Assert.Equal(Status.Denied, client.Exchange(new Capability(1), out _));
    }

    [Fact]
    public async Task SharedBuffersTravelInTheFrame()
    {
        await using SocketTransport transport = await SocketTransport.Connect(_path);
        byte[] from = new byte[1 << 20];
        new Random(2).NextBytes(from);
        byte[] to = new byte[1 << 20];
        SampleClient<SocketTransport> client = new(transport);
        Assert.Equal(Status.Ok, client.Copy(new SharedBuffer(0, 0, from), new SharedBuffer(0, 0, to), out uint sum));
        Assert.Equal(from, to);

        to = new byte[1 << 20];
        Assert.Equal(sum, await new SampleAsyncClient(transport).CopyAsync(from, to));
        Assert.Equal(from, to);
        Assert.Equal(0u, await new SampleAsyncClient(transport).CopyAsync(default, default));
    }

    [Fact]
    public async Task AsynchronousCallsOverlap()
    {
        await using SocketTransport transport = await SocketTransport.Connect(_path);
        SampleAsyncClient client = new(transport);
        uint[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.eventAsync((uint)i)));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (uint)i), answers);

        byte[] buffer = new byte[48];
        int length = await client.TextAsync("Bo"u8.ToArray(), buffer);
        Assert.Equal("Hello, Bo", Encoding.UTF8.GetString(buffer, 0, length));
        (Segment segment, Colour colour, Rights rights) = await client.StructuresAsync(new Segment(default, null, 3, true), Colour.Red, Rights.Own);
        Assert.Equal((3, Colour.Red, Rights.Own), (segment.Width, colour, rights));
    }

    [Fact]
    public async Task ManyClientsHaveServicesOfTheirOwn()
    {
        SocketTransport[] transports = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SocketTransport.Connect(_path)));
        await Task.WhenAll(transports.Select(t => new SampleAsyncClient(t).eventAsync(1)));
        Assert.Equal(8, Services().Length);
        Assert.All(Services(), s => Assert.Equal(1, s.Inner.Calls));

        // One more than there may be is closed at once.
        await using SocketTransport late = await SocketTransport.Connect(_path);
        TightbeamException refused = await Assert.ThrowsAsync<TightbeamException>(() => new SampleAsyncClient(late).eventAsync(1).WaitAsync(Long));
        Assert.Equal(Status.PeerDied, refused.Status);

        foreach (SocketTransport transport in transports)
        {
            await transport.DisposeAsync();
        }

        await Eventually(() => _server.Connections == 0 && Services().All(s => s.Inner.IsDisposed));
        await using SocketTransport again = await SocketTransport.Connect(_path);
        Assert.Equal(2u, await new SampleAsyncClient(again).eventAsync(1));
    }

    [Fact]
    public async Task AnExceptionArrivesAsOne()
    {
        await using SocketTransport transport = await SocketTransport.Connect(_path);
        SampleAsyncClient client = new(transport);
        TightbeamException error = await Assert.ThrowsAsync<TightbeamException>(() => client.MisbehaveAsync(6, new byte[3]));
        Assert.Equal((Status.NotFound, "there is no key 'alpha'"), (error.Status, error.Text));
        error = await Assert.ThrowsAsync<TightbeamException>(() => client.ShoutAsync(1001));
        Assert.Equal((Status.Ok, (uint)SampleError.TooLoud, "1001 is more than 1000"), (error.Status, error.Error, error.Text));
        error = await Assert.ThrowsAsync<TightbeamException>(() => client.FillAsync(1, new byte[301]));
        Assert.Equal(Status.TooBig, error.Status);
    }

    [Fact]
    public async Task ADeadlineEndsTheWaitAndNothingElse()
    {
        await using SocketTransport transport = await SocketTransport.Connect(_path);
        SampleAsyncClient client = new(transport);
        await client.eventAsync(1);
        SlowService service = Assert.Single(Services());
        service.Go.Reset();

        byte[] buffer = new byte[16];
        Stopwatch watch = Stopwatch.StartNew();
        TightbeamException late = await Assert.ThrowsAsync<TightbeamException>(() => client.FillAsync(7, buffer, Deadline.After(TimeSpan.FromMilliseconds(100))).WaitAsync(Long));
        Assert.Equal(Status.TimedOut, late.Status);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.09, 30);

        // The late answer is nobody's; the connection goes on.
        service.Go.Set();
        Assert.Equal(6u, await client.eventAsync(5, Deadline.After(Long)));
        Assert.All(buffer, b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task ACallerMayGiveUp()
    {
        await using SocketTransport transport = await SocketTransport.Connect(_path);
        SampleAsyncClient client = new(transport);
        await client.eventAsync(1);
        SlowService service = Assert.Single(Services());
        service.Go.Reset();
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.FillAsync(7, new byte[16], default, stop.Token).WaitAsync(Long));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.FillAsync(7, new byte[16], default, stop.Token));
        service.Go.Set();
        Assert.Equal(6u, await client.eventAsync(5));
    }

    [Fact]
    public async Task AServerThatEndsIsAStatusNotAHang()
    {
        string path = _path + "b";
        SlowService service = new();
        SocketServer server = new(path, _ => new GuardedService<ISample, SampleDispatcher<ISample>>(service));
        await using SocketTransport transport = await SocketTransport.Connect(path);
        SampleAsyncClient client = new(transport);
        await client.eventAsync(1);
        service.Go.Reset();
        Task waiting = client.FillAsync(1, new byte[1]);
        Task ending = server.DisposeAsync().AsTask();
        service.Go.Set();
        await ending;
        TightbeamException? ended = await Record.ExceptionAsync(() => waiting.WaitAsync(Long)) as TightbeamException;
        Assert.True(ended is null or { Status: Status.PeerDied });

        SampleClient<SocketTransport> waits = new(transport);
        Assert.Equal(Status.PeerDied, waits.@event(1, out _));
        Assert.Equal(Status.PeerDied, (await Assert.ThrowsAsync<TightbeamException>(() => client.eventAsync(1))).Status);
        await Assert.ThrowsAsync<SocketException>(() => SocketTransport.Connect(path));
    }

    public static TheoryData<string, byte[]> BadFrames => new()
    {
        { "noise", [.. Enumerable.Range(0, 64).Select(i => (byte)(i * 37))] },
        { "half a header", Frame(10)[..16] },
        { "no message", Frame(0) },
        { "message beyond the bound", Frame(65_537) },
        { "message of 4 GiB", Frame(-1) },
        { "shared buffer beyond the bound", Frame(10, first: (1, (1 << 20) + 1)) },
        { "shared buffer of 4 GiB", Frame(10, first: (1, -1)) },
        { "unknown access", Frame(10, first: (3, 1)) },
        { "length without a buffer", Frame(10, first: (0, 1)) },
        { "second buffer alone", Frame(10, second: (1, 1)) },
        { "message cut short", [.. Frame(100), 1, 2, 3] },
        { "shared buffer cut short", [.. Frame(1, first: (1, 100)), 1, 2] },
    };

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task ABadFrameEndsItsConnectionAndNoOther(string name, byte[] bytes)
    {
        await using SocketTransport other = await SocketTransport.Connect(_path);
        using Socket socket = await Connect();
        await socket.SendAsync(bytes);

        // Whoever only stops sending is ended too, by the time for a frame.
        using CancellationTokenSource limit = new(Long);
        int received;
        try
        {
            received = await socket.ReceiveAsync(new byte[64], limit.Token);
        }
        catch (SocketException)
        {
            received = 0;
        }

        Assert.True(received == 0, name);
        lock (_reported)
        {
            Assert.Contains(_reported, e => e is InvalidFrameException);
        }

        Assert.Equal(2u, await new SampleAsyncClient(other).eventAsync(1));
    }

    [Fact]
    public async Task AFrameMayComeInPieces()
    {
        byte[] request = new byte[64];
        Assert.Equal(Status.Ok, SampleWire.Encodeevent(request, 41, out int bytes));
        byte[] frame = [.. Frame(bytes), .. request[..bytes]];
        using Socket socket = await Connect();
        foreach (byte part in frame)
        {
            await socket.SendAsync(new[] { part });
        }

        byte[] answer = new byte[32 + WireHeader.Bytes + 4];
        int at = 0;
        while (at < answer.Length)
        {
            int received = await socket.ReceiveAsync(answer.AsMemory(at));
            Assert.NotEqual(0, received);
            at += received;
        }

        Assert.Equal(Status.Ok, SampleWire.Decodeevent(answer.AsSpan(32), out uint result, out _));
        Assert.Equal(42u, result);
        Assert.Equal(0x1122334455667788ul, BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(8)));
    }

    [Fact]
    public async Task RandomFramesNeitherEndTheServerNorGetAnything()
    {
        Random random = new(3);
        for (int i = 0; i < 200; i++)
        {
            using Socket socket = await Connect();
            byte[] bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                Frame(random.Next(1, 200)).AsSpan(0, Math.Min(32, bytes.Length)).CopyTo(bytes);
            }

            try
            {
                await socket.SendAsync(bytes);
            }
            catch (SocketException)
            {
                // Closed at once: there were too many at that moment.
            }
        }

        // Those that still wait to be accepted are served, or refused, before the next.
        uint answer = 0;
        for (int attempt = 0; answer == 0 && attempt < 1000; attempt++)
        {
            await Eventually(() => _server.Connections == 0);
            Assert.All(Services(), s => Assert.Equal(0, s.Inner.Calls));
            await using SocketTransport transport = await SocketTransport.Connect(_path);
            try
            {
                answer = await new SampleAsyncClient(transport).eventAsync(1);
            }
            catch (TightbeamException refused) when (refused.Status == Status.PeerDied)
            {
                // One of the 200 took the last place.
            }
        }

        Assert.Equal(2u, answer);
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("another call's number")]
    [InlineData("longer than asked for")]
    [InlineData("half")]
    [InlineData("close")]
    public async Task AHostileServerIsAStatusNotAHang(string what)
    {
        string path = _path + "h";
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Task<SocketTransport> connecting = SocketTransport.Connect(path, TimeSpan.FromMilliseconds(300));
        using Socket peer = await listener.AcceptAsync();
        await using SocketTransport transport = await connecting;
        Task<uint> call = new SampleAsyncClient(transport).eventAsync(1, Deadline.After(TimeSpan.FromSeconds(5)));
        await peer.ReceiveAsync(new byte[1024]);
        switch (what)
        {
            case "noise":
                await peer.SendAsync(new byte[40]);
                break;
            case "another call's number":
                await peer.SendAsync((byte[])[.. Frame(30, number: 99), .. new byte[30]]);
                break;
            case "longer than asked for":
                await peer.SendAsync((byte[])[.. Frame(60_000, number: 1), .. new byte[60_000]]);
                break;
            case "half":
                await peer.SendAsync(Frame(30, number: 1));
                break;
            default:
                peer.Dispose();
                break;
        }

        TightbeamException error = await Assert.ThrowsAsync<TightbeamException>(() => call.WaitAsync(Long));
        Assert.Equal(
            what switch { "another call's number" => Status.TimedOut, "longer than asked for" => Status.BadReply, _ => Status.PeerDied },
            error.Status);
        File.Delete(path);
    }

    [Fact]
    public async Task AConclavesServiceRunsOutsideTheSecureWorld()
    {
        string path = _path + "s";
        KeyBudget budget = new(2);
        await using SocketServer server = new(path, _ => new GuardedService<ISigner, SignerDispatcher<ISigner>>(new SignerKeys(budget), ServiceText.Shown));
        await using SocketTransport transport = await SocketTransport.Connect(path);
        SignerAsyncClient signer = new(transport);
        byte[] digest = SHA256.HashData("message"u8);
        Assert.Equal(Status.NotFound, (await Assert.ThrowsAsync<TightbeamException>(() => signer.SignAsync(digest, new byte[72]))).Status);

        byte[] key = new byte[128];
        int keyBytes = await signer.GenerateAsync(key);
        byte[] signature = new byte[72];
        int bytes = await signer.SignAsync(digest, signature);
        using ECDsa verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key.AsSpan(0, keyBytes), out _);
        Assert.True(verifier.VerifyHash(digest, signature.AsSpan(0, bytes), DSASignatureFormat.Rfc3279DerSequence));
    }

    private static byte[] Frame(int message, (uint Access, int Bytes) first = default, (uint Access, int Bytes) second = default, ulong number = 0x1122334455667788)
    {
        byte[] header = new byte[32];
        "TBF1"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), message);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), number);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), first.Access);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(20), first.Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(24), second.Access);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), second.Bytes);
        return header;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Long, "It did not come to that.");
            await Task.Delay(10);
        }
    }

    private SlowService[] Services()
    {
        lock (_services)
        {
            return [.. _services];
        }
    }

    private async Task<Socket> Connect()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        return socket;
    }
}
