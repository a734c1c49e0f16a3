using System;
using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Attack;

/// <summary>What became of one attack.</summary>
/// <param name="Counter">Name of the counter that must rise when it is stopped; empty when none is looked at.</param>
internal sealed record AttackResult(string Name, string Target, ulong Address, string Outcome, string Counter, long Delta, string Expected, bool Ok);

/// <summary>One JSON object per attack on standard output, a table of all on standard error.</summary>
internal sealed class Report
{
    private readonly List<AttackResult> _results = [];

    public bool Clean => _results.TrueForAll(result => result.Ok);

    public void Add(AttackResult result)
    {
        _results.Add(result);
        Console.Out.WriteLine(
            $"{{\"name\":\"{result.Name}\",\"target\":\"{result.Target}\",\"address\":\"0x{result.Address:x}\",\"outcome\":\"{Escape(result.Outcome)}\"," +
            $"\"counter\":\"{result.Counter}\",\"delta\":{result.Delta},\"expected\":\"{Escape(result.Expected)}\",\"ok\":{(result.Ok ? "true" : "false")}}}");
    }

    public void PrintTable()
    {
        foreach (AttackResult result in _results)
        {
            Console.Error.WriteLine($"{(result.Ok ? "ok  " : "FAIL")} {result.Name,-22} {result.Target,-24} {result.Outcome,-44} {result.Counter} +{result.Delta}");
        }

        Console.Error.WriteLine($"{_results.Count} attacks, {_results.Count(result => !result.Ok)} not as expected");
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", " ");
}
