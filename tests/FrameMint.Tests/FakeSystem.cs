using System;
using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.FrameMint.Tests;

/// <summary>SK's part: pieces of memory that hold so many pools each, and what was asked.</summary>
public readonly struct FakeSystem : IMintSystem
{
    [ThreadStatic]
    private static List<string>? _asked;

    [ThreadStatic]
    private static uint[]? _pieces;

    public static List<string> Asked => _asked!;

    /// <summary>Other than Ok: what MakePool answers to the third that it would make; what MintKit answers.</summary>
    [field: ThreadStatic]
    public static Status ThirdPool { get; set; }

    [field: ThreadStatic]
    public static Status Kit { get; set; }

    public static void Reset(params uint[] pieces)
    {
        _asked = [];
        _pieces = pieces;
        ThirdPool = Status.Ok;
        Kit = Status.Ok;
    }

    public static Status MakePool(uint from, uint pool)
    {
        uint index = from - MintSlots.Rest;
        if (index >= _pieces!.Length)
        {
            return Status.BadCapability;
        }

        if (_pieces[index] == 0)
        {
            return Status.NoMemory;
        }

        if (ThirdPool != Status.Ok && pool == MintSlots.Pools + 2)
        {
            return ThirdPool;
        }

        _pieces[index]--;
        Asked.Add($"pool {pool} of {from}");
        return Status.Ok;
    }

    public static Status MintKit(uint kit)
    {
        Asked.Add($"kit {kit}");
        return Kit;
    }
}
