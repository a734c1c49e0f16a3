using System;
using System.Text;
using Exclaves.Tightbeam;

namespace Exclaves.Samples.JsonStore;

/// <summary>Calls a store at random until its conclave has allocated so much, and compares each answer with a model.</summary>
public sealed class StoreSoak<TTransport>(TTransport transport, int seed)
    where TTransport : ITransport
{
    private const int Keys = 400;
    private const int MaxTextLength = 1500;
    private const int MaxStock = 20;

    private static readonly string[] Cities = ["Basel", "Bern", "Chur", "Genf"];

    private readonly JsonStoreClient<TTransport> _client = new(transport);
    private readonly ModelStore _model = new();
    private readonly Random _random = new(seed);
    private readonly byte[] _answer = new byte[3072];
    private ulong _allocatedBefore;
    private uint _collectionsBefore;

    public long Calls { get; private set; }

    public long Wrong { get; private set; }

    /// <summary>What the conclave has allocated meanwhile.</summary>
    public ulong AllocatedBytes { get; private set; }

    public uint Collections { get; private set; }

    /// <param name="bytes">To be allocated.</param>
    /// <param name="progress">Told now and then, with what is allocated so far.</param>
    public void Run(ulong bytes, Action<ulong>? progress = null)
    {
        _client.Require(_client.Count(out _, out _, out _allocatedBefore, out _collectionsBefore));
        while (AllocatedBytes < bytes)
        {
            for (int i = 0; i < 200; i++)
            {
                Step();
            }

            CheckCount();
            progress?.Invoke(AllocatedBytes);
        }
    }

    private void Step()
    {
        Calls++;
        string key = $"k{_random.Next(Keys)}";
        switch (_random.Next(20))
        {
            case < 9:
                Put(key);
                break;
            case < 13:
                Get(key);
                break;
            case < 15:
                Delete(key);
                break;
            case < 18:
                Find(Cities[_random.Next(Cities.Length)]);
                break;
            default:
                Add(_random.Next(-MaxStock, MaxStock));
                break;
        }
    }

    private void Put(string key)
    {
        string city = Cities[_random.Next(Cities.Length)];
        string text = new((char)('a' + _random.Next(26)), _random.Next(MaxTextLength));
        int stock = _random.Next(MaxStock);
        string document = $"{{ \"city\": \"{city}\", \"stock\": {stock},\n \"text\": \"{text}\", \"parts\": [1, 2, {{\"of\":null}}] }}";
        Result<StoreError> result = _client.Put(Bytes(key), Bytes(document), out bool isNew);
        Check(result.Succeeded && isNew == _model.Put(key, city, stock, text));
    }

    private void Get(string key)
    {
        Result<StoreError> result = _client.Get(Bytes(key), _answer, out int bytes);
        string? expected = _model.Get(key);
        Check(expected is null ? result.Error == StoreError.NotFound : result.Succeeded && Text(bytes) == expected);
    }

    private void Delete(string key)
    {
        Result<StoreError> result = _client.Delete(Bytes(key));
        Check(_model.Delete(key) ? result.Succeeded : result.Error == StoreError.NotFound);
    }

    private void Find(string city)
    {
        Result<StoreError> result = _client.Find("city"u8, Bytes($"\"{city}\""), _answer.AsSpan(0, 2048), out int bytes, out uint found);
        string[] expected = _model.InCity(city);
        Check(result.Succeeded && found == expected.Length && Text(bytes) == (expected.Length == 0 ? "[]" : $"[\"{string.Join("\",\"", expected)}\"]"));
    }

    private void Add(long amount)
    {
        Result<StoreError> result = _client.Add("stock"u8, amount, out uint changed);
        Check(result.Succeeded && changed == _model.Add(amount));
    }

    private void CheckCount()
    {
        Calls++;
        Result<StoreError> result = _client.Count(out uint documents, out ulong bytes, out ulong allocated, out uint collections);
        Check(result.Succeeded && documents == _model.Count && bytes == (ulong)_model.Bytes);
        AllocatedBytes = allocated - _allocatedBefore;
        Collections = collections - _collectionsBefore;
    }

    private void Check(bool isRight) => Wrong += isRight ? 0 : 1;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private string Text(int bytes) => Encoding.UTF8.GetString(_answer.AsSpan(0, bytes));
}
