using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Exclaves.Cli.Panics;

/// <summary>Finds reports of panics and crashes among the lines of a console, on which Linux writes as well.</summary>
public sealed partial class PanicReader
{
    private const string Mark = "[Exclaves] ";

    private readonly List<PanicReport> _reports = [];
    private readonly Dictionary<string, ulong> _registers = [];
    private readonly List<ulong> _backtrace = [];
    private (bool IsCrash, string Component, string Message)? _head;
    private int _cpu;

    /// <summary>The reports that are whole.</summary>
    public IReadOnlyList<PanicReport> Reports => _reports;

    /// <summary>Takes a line. True: it ended a report.</summary>
    public bool Take(string line)
    {
        int at = line.IndexOf(Mark, StringComparison.Ordinal);
        if (at < 0 || ComponentsOwn().IsMatch(line))
        {
            return false;
        }

        string text = line[(at + Mark.Length)..].Trim();
        if (HeadLine().Match(text) is { Success: true } head)
        {
            _head = (head.Groups["what"].Value == "crash", head.Groups["who"].Value, head.Groups["why"].Value);
            _registers.Clear();
            _backtrace.Clear();
        }
        else if (_head == null)
        {
            return false;
        }
        else if (StateLine().Match(text) is { Success: true } state)
        {
            _cpu = int.Parse(state.Groups["cpu"].Value, CultureInfo.InvariantCulture);
            foreach (Match pair in Pair().Matches(state.Groups["rest"].Value))
            {
                _registers[pair.Groups["name"].Value] = Parse(pair.Groups["value"].Value);
            }

            _backtrace.Insert(0, _registers.GetValueOrDefault("pc"));
        }
        else if (RegisterLine().Match(text) is { Success: true } row)
        {
            int register = int.Parse(row.Groups["first"].Value, CultureInfo.InvariantCulture);
            foreach (Capture value in row.Groups["value"].Captures)
            {
                _registers[$"x{register++}"] = Parse(value.Value);
            }
        }
        else if (ReturnLine().Match(text) is { Success: true } caller)
        {
            _backtrace.Add(Parse(caller.Groups["value"].Value));
        }
        else if (text.StartsWith("end: ", StringComparison.Ordinal))
        {
            _reports.Add(new PanicReport(
                _head.Value.IsCrash, _head.Value.Component, _head.Value.Message, _cpu, new Dictionary<string, ulong>(_registers), [.. _backtrace], text["end: ".Length..]));
            _head = null;
            return true;
        }

        return false;
    }

    private static ulong Parse(string hex) => ulong.Parse(hex.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>A line that a component wrote has its name in front, put there by SK, whatever it says then.</summary>
    [GeneratedRegex(@"^\[\d+\.\d{6}\] [^\[\]:]+: ")]
    private static partial Regex ComponentsOwn();

    [GeneratedRegex("^(?<what>panic|crash) in (?<who>[^:]+): (?<why>.*)$")]
    private static partial Regex HeadLine();

    [GeneratedRegex(@"^cpu (?<cpu>\d{1,3}) (?<rest>.*)$")]
    private static partial Regex StateLine();

    [GeneratedRegex("(?<name>[a-z]+) (?<value>0x[0-9a-f]{1,16})")]
    private static partial Regex Pair();

    [GeneratedRegex(@"^x(?<first>\d{1,2})( (?<value>0x[0-9a-f]{1,16}))+$")]
    private static partial Regex RegisterLine();

    [GeneratedRegex("^from (?<value>0x[0-9a-f]{1,16})$")]
    private static partial Regex ReturnLine();
}
