using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Vectors;

/// <summary>One client's input so far, and what comes of it.</summary>
internal sealed class VectorsSession : IVectors
{
    private const int MaxInputBytes = 64 << 10;

    private readonly List<byte> _input = [];

    public Result<VectorsError> Append(ReadOnlySpan<byte> part)
    {
        if (part.Length > MaxInputBytes - _input.Count)
        {
            return VectorsError.TooLong;
        }

        _input.AddRange(part);
        return VectorsError.None;
    }

    public Result<VectorsError> Compute(Computation computation, ReadOnlySpan<byte> rest, Span<byte> answer, out int bytes, out Outcome outcome)
    {
        _input.AddRange(rest);
        ReadOnlySpan<byte> result;
        try
        {
            byte[]? computed = Computations.Run(computation, new FieldReader(CollectionsMarshal.AsSpan(_input)));
            outcome = computed is null ? Outcome.Rejected : Outcome.Computed;
            result = computed;
        }
        catch (Exception error)
        {
            // Which exceptions there are is what a vector shows of a platform.
            outcome = Outcome.Threw;
            result = Encoding.UTF8.GetBytes(error.GetType().Name);
        }

        _input.Clear();
        result.CopyTo(answer);
        bytes = result.Length;
        return VectorsError.None;
    }

    public Status Transform(SharedBuffer from, SharedBuffer to)
    {
        if (from.Length != to.Length)
        {
            return Status.BadArgument;
        }

        // The caller can change it at any time: copied once, worked on here.
        byte[] copy = new byte[from.Length];
        Status status = from.Read(0, copy);
        for (int i = 0; i < copy.Length; i++)
        {
            copy[i] = LentByte.Of(copy[i], i);
        }

        return status == Status.Ok ? to.Write(0, copy) : status;
    }
}
