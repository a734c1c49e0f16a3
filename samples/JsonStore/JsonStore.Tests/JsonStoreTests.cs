using System;
using System.Text;
using System.Threading.Tasks;
using Exclaves.Testing;
using Exclaves.Tightbeam;
using Xunit;

namespace Exclaves.Samples.JsonStore.Tests;

/// <summary>The store on this machine, through the loop that it has in the secure world.</summary>
public class JsonStoreTests
{
    private readonly byte[] _answer = new byte[3072];

    [Fact]
    public async Task WhatIsPutIsFoundAndGone()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        JsonStoreClient<TestSession> store = new(session);
        Assert.True(store.Put("a"u8, "{ \"city\": \"Bern\", \"n\": 1, \"list\": [ 1 ] }"u8, out bool isNew).Succeeded);
        Assert.True(isNew);
        Assert.True(store.Put("b"u8, "{\"city\":\"Bern\",\"n\":null}"u8, out _).Succeeded);
        Assert.Equal("[\"a\",\"b\"]", Find(store, "city", "\"Bern\""));
        Assert.Equal("[\"b\"]", Find(store, "n", "null"));
        Assert.Equal("[]", Find(store, "list", "[1]"));

        Assert.True(store.Put("b"u8, "{\"city\":\"Chur\"}"u8, out isNew).Succeeded);
        Assert.False(isNew);
        Assert.Equal("[\"a\"]", Find(store, "city", "\"Bern\""));
        Assert.True(store.Get("a"u8, _answer, out int bytes).Succeeded);
        Assert.Equal("{\"city\":\"Bern\",\"n\":1,\"list\":[1]}", Encoding.UTF8.GetString(_answer, 0, bytes));

        Assert.True(store.Delete("a"u8).Succeeded);
        Assert.Equal("[]", Find(store, "city", "\"Bern\""));
        Assert.Equal(StoreError.NotFound, store.Get("a"u8, _answer, out _).Error);
        Assert.Equal(StoreError.NotFound, store.Delete("a"u8).Error);
        Assert.True(store.Count(out uint documents, out ulong documentBytes, out _, out _).Succeeded);
        Assert.Equal((1u, 15ul), (documents, documentBytes));
    }

    [Theory, InlineData(""), InlineData("null"), InlineData("[1]"), InlineData("{\"a\":1"), InlineData("{\"a\":1}}"), InlineData("{a:1}")]
    public async Task WhatIsNoObjectIsRefused(string text)
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        JsonStoreClient<TestSession> store = new(session);
        Assert.Equal(StoreError.NotJson, store.Put("a"u8, Encoding.UTF8.GetBytes(text), out _).Error);
    }

    [Fact]
    public async Task WholeNumbersAreAddedTo()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        JsonStoreClient<TestSession> store = new(session);
        store.Require(store.Put("a"u8, "{\"n\":1}"u8, out _));
        store.Require(store.Put("b"u8, "{\"n\":1.5}"u8, out _));
        store.Require(store.Put("c"u8, "{\"n\":\"1\"}"u8, out _));
        store.Require(store.Add("n"u8, -2, out uint changed));
        Assert.Equal(1u, changed);
        Assert.Equal("[\"a\"]", Find(store, "n", "-1"));
    }

    /// <summary>What one session gives back another may have.</summary>
    [Fact]
    public async Task SessionsShareTheRoomAndNothingElse()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        JsonStoreClient<TestSession> store = new(session);
        byte[] document = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 3000)}\"}}");
        using (TestSession greedy = host.Open())
        {
            JsonStoreClient<TestSession> other = new(greedy);
            int stored = 0;
            while (other.Put(Encoding.UTF8.GetBytes($"{stored}"), document, out _).Succeeded)
            {
                stored++;
            }

            Assert.Equal(JsonStoreService.MaxDocumentBytes / document.Length, stored);
            Assert.Equal(StoreError.Full, store.Put("a"u8, document, out _).Error);
            Assert.Equal(StoreError.NotFound, store.Get("0"u8, _answer, out _).Error);
        }

        Assert.True(store.Put("a"u8, document, out _).Succeeded);
    }

    [Fact]
    public async Task ADocumentThatNoAnswerHoldsIsRefused()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        JsonStoreClient<TestSession> store = new(session);

        // A quotation mark is written with six characters.
        byte[] document = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('\'', 3000)}\"}}");
        Assert.Equal(StoreError.TooLong, store.Put("a"u8, document, out _).Error);
    }

    [Fact]
    public async Task ASoakFindsNothingWrong()
    {
        await using ExclaveTestHost host = ExclaveTestHost.Start(new JsonStoreService());
        using TestSession session = host.Open();
        StoreSoak<TestSession> soak = new(session, seed: 1);
        soak.Run(64 << 20);
        Assert.Equal(0, soak.Wrong);
        Assert.InRange(soak.AllocatedBytes, 64ul << 20, ulong.MaxValue);
    }

    private string Find(JsonStoreClient<TestSession> store, string field, string value)
    {
        store.Require(store.Find(Encoding.UTF8.GetBytes(field), Encoding.UTF8.GetBytes(value), _answer.AsSpan(0, 2048), out int bytes, out _));
        return Encoding.UTF8.GetString(_answer, 0, bytes);
    }
}
