using System;
using System.Linq;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Kit;
using Exclaves.Tightbeam;

namespace Exclaves.ExclaveKit.Stress;

/// <summary>Hello as another component's service: the same client code as on Linux, over an endpoint.</summary>
internal static class PeerCalls
{
    private const uint HelloSlot = 3;
    private const uint EntropySlot = 2;
    private const uint NoSlot = 20;
    private const int Rounds = 200;

    public static bool AllAnswer()
    {
        Task<bool>[] callers = [.. Enumerable.Range(1, 3).Select(i => Task.Factory.StartNew(() => Call((ulong)i), TaskCreationOptions.LongRunning))];
        Task.WaitAll(callers);
        return callers.All(caller => caller.Result) && IsRefused(EntropySlot) && IsRefused(NoSlot);
    }

    private static bool Call(ulong seed)
    {
        HelloClient<PeerTransport> hello = new(new PeerTransport(HelloSlot));
        byte[] data = new byte[256];
        ulong[] words = [.. Enumerable.Range(0, 128).Select(i => (seed << 32) + (ulong)i)];
        ulong[] transformed = new ulong[words.Length];
        for (ulong i = 0; i < Rounds; i++)
        {
            if (hello.Echo(seed, i, out ulong a, out ulong b) != Status.Ok || (a, b) != (seed, i)) { return false; }

            if (hello.Sum(1, 2, seed, i, data, out ulong sum) != Status.Ok || sum != 3 + seed + i + 256) { return false; }

            bool done = hello.Transform(words, transformed) == Status.Ok;
            if (!done || !words.Select(HelloTransform.Word).SequenceEqual(transformed)) { return false; }
        }

        return hello.Transform(words, transformed.AsSpan(1)) == Status.BadArgument;
    }

    /// <summary>Entropy serves no Tightbeam; nothing lies in the other slot.</summary>
    private static bool IsRefused(uint slot)
    {
        HelloClient<PeerTransport> hello = new(new PeerTransport(slot));
        return hello.Echo(1, 2, out _, out _) is Status.BadCall or Status.BadCapability;
    }
}
