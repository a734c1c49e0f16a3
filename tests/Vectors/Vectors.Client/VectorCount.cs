using System;
using System.Collections.Generic;

namespace Exclaves.Vectors;

/// <summary>How the vectors of one algorithm came out.</summary>
public sealed class VectorCount
{
    private readonly SortedDictionary<string, int> _reasons = new(StringComparer.Ordinal);

    public int All { get; private set; }

    public int Passed { get; private set; }

    /// <summary>What came out instead of what the vectors say, and how often.</summary>
    public IReadOnlyDictionary<string, int> Reasons => _reasons;

    internal void Add(string? failure)
    {
        All++;
        if (failure is null)
        {
            Passed++;
        }
        else
        {
            _reasons[failure] = _reasons.GetValueOrDefault(failure) + 1;
        }
    }
}
