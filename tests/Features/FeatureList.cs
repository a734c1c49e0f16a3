using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace Exclaves.Features;

/// <summary>What is tried: true when it does what .NET says it does.</summary>
internal static class FeatureList
{
    private static int _finalized;

    public static IReadOnlyList<(string Name, Func<bool> Use)> All { get; } =
    [
        ("Thread", UseThread),
        ("Task.Run, await", () => Await().GetAwaiter().GetResult() == 3),
        ("ThreadPool", UsePool),
        ("Parallel.For, PLINQ", () => ParallelEnumerable.Range(0, 1000).Sum() == 499_500),
        ("Channel", UseChannel),
        ("lock, Monitor, SemaphoreSlim", UseSemaphore),
        ("Thread.Sleep, Stopwatch", UseSleep),
        ("Timer", UseTimer),
        ("CancellationTokenSource with a timeout", UseTimeout),
        ("try, catch, finally", UseExceptions),
        ("NullReferenceException", UseNull),
        ("DivideByZeroException, OverflowException", UseArithmetic),
        ("OutOfMemoryException, and work goes on", UseMemory),
        ("GC.Collect, WeakReference", UseCollection),
        ("finalizers", UseFinalizer),
        ("List, Dictionary, ConcurrentDictionary", UseCollections),
        ("LINQ", () => Enumerable.Range(0, 10).Where(number => number % 2 == 1).Select(number => number * number).Sum() == 165),
        ("BigInteger", () => BigInteger.Pow(3, 100) % 1_000_007 == BigInteger.ModPow(3, 100, 1_000_007)),
        ("Regex, interpreted", () => Regex.Match("key = 42", "([a-z]+) = ([0-9]+)").Groups[2].Value == "42"),
        ("System.Text.Json, JsonDocument", () => JsonDocument.Parse("{\"a\":[1,2]}").RootElement.GetProperty("a")[1].GetInt32() == 2),
        ("Encoding.UTF8, Base64, hexadecimal", UseEncodings),
        ("CultureInfo.InvariantCulture", () => 1.5.ToString(CultureInfo.InvariantCulture) == "1.5"),
        ("CultureInfo of a country", () => CultureInfo.GetCultureInfo("de-DE").Name == "de-DE"),
        ("Random", () => new Random(1).Next() == new Random(1).Next()),
        ("RandomNumberGenerator", () => !RandomNumberGenerator.GetBytes(32).SequenceEqual(RandomNumberGenerator.GetBytes(32))),
        ("Guid.NewGuid", () => Guid.NewGuid() != Guid.NewGuid()),
        ("SHA256, HMACSHA256", () => HMACSHA256.HashData("k"u8, "m"u8).Length == SHA256.HashData("m"u8).Length),
        ("AesGcm", UseAesGcm),
        ("ECDsa", UseEcdsa),
        ("RSA", UseRsa),
        ("BouncyCastle.Cryptography of NuGet: Ed25519, AES-GCM", UseBouncyCastle),
        ("DeflateStream, BrotliStream", UseCompression),
        ("MemoryStream, StreamReader", () => new StreamReader(new MemoryStream("a line\n"u8.ToArray())).ReadLine() == "a line"),
        ("Console.Error", UseConsole),
        ("Environment.ProcessorCount", () => Environment.ProcessorCount >= 1),
        ("Environment.GetEnvironmentVariable: none", () => Environment.GetEnvironmentVariable("PATH") is null),
        ("DateTime.UtcNow: the year", () => DateTime.UtcNow.Year >= 2025),
        ("TimeZoneInfo.Local: UTC", () => TimeZoneInfo.Local.BaseUtcOffset == TimeSpan.Zero),
        ("File.ReadAllText", () => File.ReadAllText("/etc/hostname").Length > 0),
        ("File.WriteAllText", () => Succeed(() => File.WriteAllText("/tmp/x", "x"))),
        ("Directory.GetFiles", () => Directory.GetFiles("/").Length >= 0),
        ("Socket", () => Succeed(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).Dispose())),
        ("Dns.GetHostAddresses", () => Dns.GetHostAddresses("localhost").Length > 0),
        ("HttpClient", () => new HttpClient().GetStringAsync(new Uri("http://127.0.0.1/")).GetAwaiter().GetResult().Length >= 0),
        ("Process.Start", () => Succeed(() => Process.Start("/bin/true"))),
    ];

    private static bool Succeed(Action use)
    {
        use();
        return true;
    }

    private static bool UseThread()
    {
        int value = 0;
        Thread thread = new(() => value = 7);
        thread.Start();
        thread.Join();
        return value == 7;
    }

    private static async Task<int> Await()
    {
        int one = await Task.Run(() => 1).ConfigureAwait(false);
        await Task.Delay(5).ConfigureAwait(false);
        await Task.Yield();
        return one + 2;
    }

    private static bool UsePool()
    {
        using CountdownEvent left = new(8);
        for (int i = 0; i < 8; i++)
        {
            ThreadPool.QueueUserWorkItem(_ => left.Signal());
        }

        return left.Wait(10_000);
    }

    private static bool UseChannel()
    {
        Channel<int> channel = Channel.CreateBounded<int>(1);
        Task<int> sum = Task.Run(async () =>
        {
            int all = 0;
            await foreach (int number in channel.Reader.ReadAllAsync().ConfigureAwait(false)) { all += number; }

            return all;
        });
        for (int i = 1; i <= 10; i++)
        {
            channel.Writer.WriteAsync(i).AsTask().Wait();
        }

        channel.Writer.Complete();
        return sum.GetAwaiter().GetResult() == 55;
    }

    private static bool UseSemaphore()
    {
        using SemaphoreSlim semaphore = new(1);
        int count = 0;
        Parallel.For(0, 100, _ =>
        {
            semaphore.Wait();
            count++;
            semaphore.Release();
        });
        return count == 100;
    }

    private static bool UseSleep()
    {
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(20);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 19;
    }

    private static bool UseTimer()
    {
        using ManualResetEventSlim fired = new();
        using Timer timer = new(_ => fired.Set(), null, 10, Timeout.Infinite);
        return fired.Wait(10_000);
    }

    private static bool UseTimeout()
    {
        using CancellationTokenSource source = new(TimeSpan.FromMilliseconds(20));
        return source.Token.WaitHandle.WaitOne(10_000) && source.IsCancellationRequested;
    }

    private static bool UseExceptions()
    {
        int steps = 0;
        try
        {
            try
            {
                throw new InvalidOperationException("a text");
            }
            finally
            {
                steps++;
            }
        }
        catch (InvalidOperationException error) when (error.Message == "a text")
        {
            steps++;
        }

        return steps == 2;
    }

    private static bool UseNull()
    {
        try
        {
            string? nothing = Environment.GetEnvironmentVariable("not there");
            return nothing!.Length < 0;
        }
        catch (NullReferenceException)
        {
            return true;
        }
    }

    private static bool UseArithmetic()
    {
        int zero = Math.Min(0, Environment.ProcessorCount);
        try
        {
            return 1 / zero > 1;
        }
        catch (DivideByZeroException)
        {
        }

        try
        {
            return checked(int.MaxValue + zero + Environment.ProcessorCount) < 0;
        }
        catch (OverflowException)
        {
            return true;
        }
    }

    private static bool UseMemory()
    {
        List<byte[]> hoard = [];
        try
        {
            for (int i = 0; i < 1024; i++)
            {
                hoard.Add(new byte[1 << 20]);
            }

            return false;
        }
        catch (OutOfMemoryException)
        {
            hoard.Clear();
        }

        GC.Collect();
        return new byte[1 << 20].Length == 1 << 20;
    }

    private static bool UseCollection()
    {
        WeakReference reference = Drop();
        GC.Collect();
        return !reference.IsAlive && GC.CollectionCount(0) > 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Drop() => new(new byte[100]);

    private static bool UseFinalizer()
    {
        DropFinalized();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Volatile.Read(ref _finalized) > 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropFinalized() => _ = new Finalized();

    private static bool UseCollections()
    {
        ConcurrentDictionary<int, string> names = new(Enumerable.Range(0, 100).ToDictionary(number => number, number => $"{number}"));
        List<string> list = [.. names.Values];
        list.Sort(StringComparer.Ordinal);
        return list[^1] == "99" && names.TryRemove(7, out string? seven) && seven == "7";
    }

    private static bool UseEncodings() =>
        Encoding.UTF8.GetString(Convert.FromBase64String(Convert.ToBase64String("grüezi"u8))) == "grüezi" && Convert.ToHexString([0xAB]) == "AB";

    private static bool UseAesGcm()
    {
        using AesGcm cipher = new(new byte[16], 16);
        byte[] tag = new byte[16];
        byte[] sealedText = new byte[4];
        byte[] text = new byte[4];
        cipher.Encrypt(new byte[12], "text"u8, sealedText, tag);
        cipher.Decrypt(new byte[12], sealedText, tag, text);
        return text.AsSpan().SequenceEqual("text"u8);
    }

    private static bool UseEcdsa()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.VerifyData("text"u8, key.SignData("text"u8, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256);
    }

    private static bool UseRsa()
    {
        using RSA key = RSA.Create(1024);
        byte[] signature = key.SignData("text"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        return key.VerifyData("text"u8, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }

    /// <summary>A signature of one key, and what it seals the runtime's own cipher opens.</summary>
    private static bool UseBouncyCastle()
    {
        Ed25519PrivateKeyParameters key = new(new SecureRandom());
        Ed25519Signer signer = new();
        signer.Init(forSigning: true, key);
        signer.BlockUpdate("text"u8);
        byte[] signature = signer.GenerateSignature();
        signer.Init(forSigning: false, key.GeneratePublicKey());
        signer.BlockUpdate("text"u8);
        bool isSigned = signer.VerifySignature(signature);

        GcmBlockCipher cipher = new(new AesEngine());
        cipher.Init(forEncryption: true, new AeadParameters(new KeyParameter(new byte[16]), 128, new byte[12]));
        byte[] output = new byte[20];
        int bytes = cipher.ProcessBytes("text"u8, output);
        bytes += cipher.DoFinal(output.AsSpan(bytes));
        using AesGcm opener = new(new byte[16], 16);
        byte[] text = new byte[4];
        opener.Decrypt(new byte[12], output.AsSpan(0, 4), output.AsSpan(4), text);
        return isSigned && bytes == output.Length && text.AsSpan().SequenceEqual("text"u8);
    }

    private static bool UseCompression()
    {
        byte[] text = new byte[5000];
        using MemoryStream compressed = new();
        using (DeflateStream deflate = new(compressed, CompressionLevel.Optimal, leaveOpen: true)) { deflate.Write(text); }

        byte[] brotli = new byte[1000];
        return compressed.Length < 100 && BrotliEncoder.TryCompress(text, brotli, out int bytes) && bytes < 100;
    }

    private static bool UseConsole()
    {
        Console.Error.WriteLine("a line of the conclave");
        return true;
    }

    private sealed class Finalized
    {
        ~Finalized() => Interlocked.Increment(ref _finalized);
    }
}
