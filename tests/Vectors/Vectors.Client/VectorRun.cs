using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Exclaves.Tightbeam;

namespace Exclaves.Vectors;

/// <summary>Runs vectors through the service and keeps count.</summary>
/// <param name="every">1: all vectors; 5: every fifth of each family, where time is short.</param>
public sealed class VectorRun<TTransport>(TTransport transport, int every = 1)
    where TTransport : ITransport
{
    private const int PartBytes = 3072;
    private const int RestBytes = 2048;

    private readonly VectorsClient<TTransport> _client = new(transport);
    private readonly SortedDictionary<string, VectorCount> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _failures = [];

    /// <summary>For each algorithm, how many vectors it has and how many came out as they say.</summary>
    public IReadOnlyDictionary<string, VectorCount> Counts => _counts;

    /// <summary>A line for each vector that did not come out as it says: where it is, its algorithm, and what came out instead.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>All vectors beneath <paramref name="folder"/>.</summary>
    public void Run(string folder)
    {
        foreach (VectorFamily family in VectorFamilies.All)
        {
            int number = 0;
            foreach (string file in family.Files)
            {
                foreach (VectorRecord record in VectorFile.Read(File.ReadLines(Path.Combine(folder, file)), family.Ends, family.Last))
                {
                    if (family.Read(file, record) is { } vector && number++ % every == 0)
                    {
                        Count(vector, $"{file}:{record.Line.ToString(CultureInfo.InvariantCulture)}");
                    }
                }
            }
        }
    }

    /// <summary>The counts as lines of text; what failed by its reason.</summary>
    public string Report()
    {
        StringBuilder text = new();
        foreach ((string algorithm, VectorCount count) in _counts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{algorithm}: {count.Passed} of {count.All}");
            foreach ((string reason, int times) in count.Reasons)
            {
                text.Append(CultureInfo.InvariantCulture, $"; {times} {reason}");
            }

            text.Append('\n');
        }

        int all = _counts.Values.Sum(count => count.All);
        return text.Append(CultureInfo.InvariantCulture, $"all: {all - _failures.Count} of {all}\n").ToString();
    }

    private void Count(VectorCase vector, string place)
    {
        if (!_counts.TryGetValue(vector.Algorithm, out VectorCount? count))
        {
            _counts[vector.Algorithm] = count = new VectorCount();
        }

        string? failure = Try(vector);
        count.Add(failure);
        if (failure != null)
        {
            _failures.Add($"{place}: {vector.Algorithm}: {failure}");
        }
    }

    /// <returns>What came out instead; null: what the vector says.</returns>
    private string? Try(VectorCase vector)
    {
        ReadOnlySpan<byte> input = vector.Input.Written;
        while (input.Length > RestBytes)
        {
            int part = Math.Min(input.Length, PartBytes);
            _client.Require(_client.Append(input[..part]));
            input = input[part..];
        }

        Span<byte> answer = new byte[1280];
        _client.Require(_client.Compute(vector.Computation, input, answer, out int bytes, out Outcome outcome));
        return outcome switch
        {
            Outcome.Computed when vector.Expected is null => "accepted what is not genuine",
            Outcome.Computed => answer[..bytes].SequenceEqual(vector.Expected) ? null : "computed something else",
            Outcome.Rejected => vector.Expected is null ? null : "rejected what is genuine",
            _ => "threw " + Encoding.UTF8.GetString(answer[..bytes]),
        };
    }
}
