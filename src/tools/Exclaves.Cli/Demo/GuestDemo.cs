using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using Exclaves.Cli.Attacks;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Demo;

/// <summary>Follows the guest's part (src/guest/demo.sh) by what it prints.</summary>
public sealed class GuestDemo
{
    private readonly Screen _screen;
    private readonly Stopwatch _watch = new();
    private readonly List<AttackPart> _attacks = [];
    private readonly Dictionary<string, (int Status, TimeSpan Time)> _steps = [];
    private readonly Dictionary<string, string> _complaints = [];
    private string _current = "";
    private TimeSpan _begin;

    public GuestDemo(Screen screen)
    {
        _screen = screen;
        _watch.Start();
    }

    public IReadOnlyList<AttackPart> Attacks => _attacks;

    /// <summary>Status and time of a step that came to its end; null when it did not.</summary>
    public (int Status, TimeSpan Time)? Step(string name) => _steps.TryGetValue(name, out (int Status, TimeSpan Time) step) ? step : null;

    /// <summary>The last thing that a step's programs complained about.</summary>
    public string ComplaintOf(string step) => _complaints.GetValueOrDefault(step, "no reason was given");

    public void TakeOutput(string line)
    {
        TimeSpan now = _watch.Elapsed;
        string[] words = line.Split(' ');
        switch (words)
        {
            case ["begin", string name]:
                _current = name;
                _begin = now;
                break;
            case ["complaint", ..]:
                _complaints[_current] = line["complaint".Length..].Trim();
                break;
            case ["end", string name, string status]:
                _steps[name] = (int.Parse(status, CultureInfo.InvariantCulture), now - _begin);
                break;
            default:
                if (AttackPart.TryParse(line) is { } attack)
                {
                    _attacks.Add(attack);
                }

                break;
        }

        _screen.Detail(line);
    }
}
