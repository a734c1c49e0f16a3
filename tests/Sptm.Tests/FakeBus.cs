using System;
using System.Collections.Generic;

namespace Exclaves.Sptm.Tests;

/// <summary>Registers by address, with what each access does given by the test.</summary>
public readonly struct FakeBus : IDeviceBus
{
    [ThreadStatic]
    private static Dictionary<ulong, uint>? _words;

    [ThreadStatic]
    private static Action<ulong, uint>? _onWrite;

    [ThreadStatic]
    private static Func<ulong, uint>? _onRead;

    [ThreadStatic]
    private static List<(ulong Address, ulong Value)>? _writes;

    public static Dictionary<ulong, uint> Words => _words!;

    /// <summary>In order, whole 64-bit writes as one.</summary>
    public static List<(ulong Address, ulong Value)> Writes => _writes!;

    /// <param name="onWrite">Runs after the word has its new value.</param>
    /// <param name="onRead">In the place of memory, when given.</param>
    public static void Reset(Action<ulong, uint>? onWrite = null, Func<ulong, uint>? onRead = null)
    {
        _words = [];
        _writes = [];
        _onWrite = onWrite;
        _onRead = onRead;
    }

    public static uint Read32(ulong address) => _onRead is null ? _words!.GetValueOrDefault(address) : _onRead(address);

    public static void Write32(ulong address, uint value)
    {
        _writes!.Add((address, value));
        _words![address] = value;
        _onWrite?.Invoke(address, value);
    }

    public static void Write64(ulong address, ulong value)
    {
        _writes!.Add((address, value));
        _words![address] = (uint)value;
        _words![address + 4] = (uint)(value >> 32);
    }
}
