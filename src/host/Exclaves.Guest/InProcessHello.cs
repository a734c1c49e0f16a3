using System;
using Exclaves.Abi;
using Exclaves.Interfaces;

namespace Exclaves.Guest;

/// <summary>Hello without a way to it: the bench calls it through both sides of Tightbeam in one process.</summary>
internal sealed class InProcessHello : IHello
{
    public Status Echo(ulong a, ulong b, out ulong a2, out ulong b2)
    {
        (a2, b2) = (a, b);
        return Status.Ok;
    }

    public Status Transform(ReadOnlySpan<ulong> input, Span<ulong> output) => Status.BadCall;

    public Status Sum(uint a, uint b, ulong c, ulong d, ReadOnlySpan<byte> data, out ulong sum)
    {
        sum = a + b + c + d + (ulong)data.Length;
        return Status.Ok;
    }
}
