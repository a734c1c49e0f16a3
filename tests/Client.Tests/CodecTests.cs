using System;
using System.Buffers.Binary;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Client.Tests;

public class CodecTests
{
    [Fact]
    public void TransformFollowsTheAbiWordByWord()
    {
        byte[] input = [.. Enumerable.Range(0, HelloTransform.Bytes).Select(i => (byte)(i * 37))];
        byte[] output = new byte[HelloTransform.Bytes];
        HelloClient.ExpectedTransform(input, output);
        for (int i = 0; i < 8; i++)
        {
            ulong word = BitConverter.ToUInt64(input, i * 8);
            Assert.Equal(HelloTransform.Word(word, i), BitConverter.ToUInt64(output, i * 8));
        }
    }

    [Theory]
    [InlineData(Services.Hello, Services.HelloLow, Services.HelloHigh)]
    [InlineData(Services.Signer, Services.SignerLow, Services.SignerHigh)]
    [InlineData(Services.Statistics, Services.StatisticsLow, Services.StatisticsHigh)]
    [InlineData(Services.Enumeration, Services.EnumerationLow, Services.EnumerationHigh)]
    public void UuidsTravelInNetworkOrder(string text, ulong low, ulong high)
    {
        byte[] bytes = Guid.Parse(text).ToByteArray(bigEndian: true);
        Assert.Equal(low, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        Assert.Equal(high, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8)));
    }

    [Fact]
    public void DigestsAgreeWithTheReferenceAtEveryLength()
    {
        byte[] data = new byte[300];
        new Random(1).NextBytes(data);
        for (int length = 0; length <= data.Length; length++)
        {
            Sha256 hash = new();
            hash.Append(data.AsSpan(0, length / 3));
            hash.Append(data.AsSpan(length / 3, length - (length / 3)));
            Assert.Equal(SHA256.HashData(data.AsSpan(0, length)), hash.Finish());
        }
    }

    [Fact]
    public void StreamsAreHashedWhole()
    {
        byte[] data = new byte[1_000_003];
        new Random(2).NextBytes(data);
        Assert.Equal(SHA256.HashData(data), Sha256.Hash(new MemoryStream(data)));
    }

    [Fact]
    public void PemIsWhatOtherToolsRead()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] der = key.ExportSubjectPublicKeyInfo();
        string text = Pem.Encode(der);
        Assert.Equal(key.ExportSubjectPublicKeyInfoPem() + "\n", text);
        Assert.Equal(der, Pem.Decode("noise\n" + text + "noise"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void BrokenPemIsRefused(string text) => Assert.Null(Pem.Decode(text));

    [Fact]
    public void CountersAreFoundByName()
    {
        ulong[] words = [(ulong)SkCounter.Count, (ulong)SptmCounter.Count, (ulong)ProxyCounter.Count,
            .. Enumerable.Range(100, (int)SkCounter.Count).Select(i => (ulong)i),
            .. Enumerable.Range(200, (int)SptmCounter.Count).Select(i => (ulong)i),
            .. Enumerable.Range(300, (int)ProxyCounter.Count).Select(i => (ulong)i)];
        Assert.True(SystemCounters.TryDecode(Bytes(words), out SystemCounters? counters));
        Assert.Equal(100UL, counters![SkCounter.DowncallsInUse]);
        Assert.Equal(102UL, counters[SkCounter.FramesInUse]);
        Assert.Equal(200UL, counters[SptmCounter.RefusedAccess]);
        Assert.Equal(301UL, counters[ProxyCounter.Registrations]);
    }

    [Fact]
    public void WrongCounterAnswersAreRefused()
    {
        ulong sk = (ulong)SkCounter.Count, sptm = (ulong)SptmCounter.Count, proxy = (ulong)ProxyCounter.Count;
        Refuse([]);
        Refuse([sk, sptm]);
        Refuse([sk, sptm, proxy]);
        Refuse([sk - 1, sptm, proxy, .. new ulong[sk + sptm + proxy - 1]]);
        Refuse([sk, sptm, proxy, .. new ulong[sk + sptm + proxy - 1]]);
        Refuse([sk, sptm, proxy, .. new ulong[sk + sptm + proxy + 1]]);
        Refuse([ulong.MaxValue, sptm, proxy, .. new ulong[sk + sptm + proxy]]);
        Refuse([ulong.MaxValue - 4, sptm, proxy, .. new ulong[8]]);
        Assert.False(SystemCounters.TryDecode(new byte[25], out _));

        static void Refuse(ulong[] words) => Assert.False(SystemCounters.TryDecode(Bytes(words), out _));
    }

    [Fact]
    public void ComponentNamesEndAtTheirZero()
    {
        byte[] answer = new byte[120];
        Encoding.UTF8.GetBytes("org.exclaves.signer").CopyTo(answer, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(64), 0xB800_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(88), (uint)ComponentState.Running);
        ComponentReport report = StatisticsClient.Decode(answer);
        Assert.Equal("org.exclaves.signer", report.Name);
        Assert.Equal(0xB800_0000UL, report.Status.UntypedBase);
        Assert.Equal(ComponentState.Running, report.Status.State);

        answer.AsSpan(0, 64).Fill((byte)'x');
        Assert.Equal(new string('x', 64), StatisticsClient.Decode(answer).Name);
    }

    private static byte[] Bytes(ulong[] words)
    {
        byte[] bytes = new byte[words.Length * sizeof(ulong)];
        Buffer.BlockCopy(words, 0, bytes, 0, bytes.Length);
        return bytes;
    }
}
