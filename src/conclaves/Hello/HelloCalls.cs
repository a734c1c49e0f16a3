using System;
using Exclaves.Abi;
using Exclaves.Interfaces;

namespace Exclaves.Hello;

/// <summary><see cref="IHello"/>: no state, so one value serves every caller.</summary>
internal struct HelloCalls : IHello
{
    public readonly Status Echo(ulong a, ulong b, out ulong a2, out ulong b2)
    {
        a2 = a;
        b2 = b;
        return Status.Ok;
    }

    public readonly Status Transform(ReadOnlySpan<ulong> input, Span<ulong> output)
    {
        if (input.Length != output.Length)
        {
            return Status.BadArgument;
        }

        for (int i = 0; i < input.Length; i++)
        {
            output[i] = HelloTransform.Word(input[i], i);
        }

        return Status.Ok;
    }

    public readonly Status Sum(uint a, uint b, ulong c, ulong d, ReadOnlySpan<byte> data, out ulong sum)
    {
        sum = a + b + c + d + (ulong)data.Length;
        return Status.Ok;
    }
}
