using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Client;
using Exclaves.Interfaces;
using Exclaves.Tightbeam;

namespace Exclaves.Guest;

/// <summary>Generated clients against the services of the machine, one freestanding and one of ordinary .NET.</summary>
internal static class TightbeamTest
{
    private const int MaxWords = 128;

    public static int Run(int count, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeTransport helloTransport = TeeTransport.Open(device, ServiceName.Hello);
        using TeeTransport signerTransport = TeeTransport.Open(device, ServiceName.Signer);
        Random random = new(seed);
        int wrong = Calls(helloTransport, random, count);
        Console.Out.WriteLine($"tightbeam: {count} calls of Hello, {wrong} wrong");

        int bad = RandomRequests(helloTransport, random, count) + RandomRequests(signerTransport, random, count);
        Console.Out.WriteLine($"tightbeam: {2 * count} random requests, {bad} without a proper refusal");

        int refused = Refusals(signerTransport);
        Console.Out.WriteLine($"tightbeam: refusals of Signer, {refused} wrong");

        int late = Asynchronous(device, helloTransport).GetAwaiter().GetResult();
        Console.Out.WriteLine($"tightbeam: asynchronous calls, {late} wrong");
        return wrong + bad + refused + late == 0 ? 0 : 1;
    }

    private static int Calls(TeeTransport transport, Random random, int count)
    {
        HelloClient<TeeTransport> hello = new(transport);
        int wrong = hello.ReadVersion(out ushort version) == Status.Ok && version == 1 ? 0 : 1;
        Span<ulong> input = stackalloc ulong[MaxWords];
        Span<ulong> output = stackalloc ulong[MaxWords];
        for (int i = 0; i < count; i++)
        {
            ulong a = (ulong)random.NextInt64();
            wrong += hello.Echo(a, ~a, out ulong a2, out ulong b2) == Status.Ok && a2 == a && b2 == ~a ? 0 : 1;

            int words = random.Next(MaxWords + 1);
            random.NextBytes(MemoryMarshal.AsBytes(input[..words]));
            bool isRight = hello.Transform(input[..words], output[..words]) == Status.Ok;
            for (int k = 0; isRight && k < words; k++)
            {
                isRight = output[k] == HelloTransform.Word(input[k], k);
            }

            wrong += isRight ? 0 : 1;
        }

        wrong += hello.Transform(input[..2], output[..3]) == Status.BadArgument ? 0 : 1;
        wrong += hello.Sum(1, 2, 3, 4, MemoryMarshal.AsBytes(input)[..256], out ulong sum) == Status.Ok && sum == 266 ? 0 : 1;
        return wrong;
    }

    /// <summary>Each must be answered by a message that refuses it, for the transport's own checks see nothing wrong.</summary>
    private static int RandomRequests(TeeTransport transport, Random random, int count)
    {
        int bad = 0;
        for (int i = 0; i < count; i++)
        {
            int bytes = random.Next(400);
            random.NextBytes(transport.Request[..bytes]);
            Attachments attachments = default;
            Status status = transport.Call(bytes, ref attachments);
            ReadOnlySpan<byte> answer = transport.Response;
            bool isRefusal = status == Status.Ok && answer.Length >= WireHeader.Bytes && MemoryMarshal.Read<uint>(answer) == WireHeader.ResponseMagic
                && MemoryMarshal.Read<int>(answer[12..]) == answer.Length && (Status)MemoryMarshal.Read<uint>(answer[16..]) == Status.BadArgument;
            bad += isRefusal ? 0 : 1;
        }

        return bad;
    }

    private static int Refusals(TeeTransport transport)
    {
        SignerClient<TeeTransport> signer = new(transport);
        Span<byte> key = stackalloc byte[128];
        Span<byte> signature = stackalloc byte[72];
        Span<byte> digest = stackalloc byte[32];
        int wrong = signer.Sign(digest, signature, out _) == Status.NotFound ? 0 : 1;
        wrong += signer.Generate(key[..10], out _) == Status.TooBig ? 0 : 1;
        wrong += signer.Generate(key, out int bytes) == Status.Ok && bytes > 80 ? 0 : 1;
        wrong += signer.Sign(digest[..31], signature, out _) == Status.BadArgument ? 0 : 1;
        wrong += signer.Sign(digest, signature, out bytes) == Status.Ok && bytes > 60 ? 0 : 1;
        return wrong + (signer.FailureText.IsEmpty ? 0 : 1);
    }

    private static async Task<int> Asynchronous(TeeDevice device, TeeTransport transport)
    {
        HelloAsyncClient hello = new(transport);
        int wrong = 0;
        Task<(ulong A, ulong B)>[] calls = new Task<(ulong A, ulong B)>[16];
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i] = Echo(hello, (ulong)i);
        }

        for (int i = 0; i < calls.Length; i++)
        {
            wrong += await calls[i].ConfigureAwait(false) == ((ulong)i, 7) ? 0 : 1;
        }

        // While a long call keeps Hello busy, a deadline and a token end the wait for another.
        using HelloClient spinner = HelloClient.Open(device);
        Task spin = Task.Run(() => spinner.Spin(300_000_000));
        await Task.Delay(50).ConfigureAwait(false);
        Stopwatch watch = Stopwatch.StartNew();
        try
        {
            _ = await hello.EchoAsync(1, 2, Deadline.After(TimeSpan.FromMilliseconds(20))).ConfigureAwait(false);
            wrong += spin.IsCompleted ? 0 : 1;
        }
        catch (TightbeamException error)
        {
            wrong += error.Status == Status.TimedOut ? 0 : 1;
        }

        using CancellationTokenSource stop = new(20);
        try
        {
            _ = await hello.EchoAsync(1, 2, default, stop.Token).ConfigureAwait(false);
            wrong += spin.IsCompleted ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            wrong += watch.Elapsed < TimeSpan.FromSeconds(20) ? 0 : 1;
        }

        await spin.ConfigureAwait(false);
        wrong += (await hello.EchoAsync(5, 6).ConfigureAwait(false)).Item1 == 5 ? 0 : 1;
        return wrong;
    }

    private static async Task<(ulong A, ulong B)> Echo(HelloAsyncClient hello, ulong number)
    {
        (ulong a, ulong b) = await hello.EchoAsync(number, 7).ConfigureAwait(false);
        return (a, b);
    }
}
