using System;
using System.Collections.Generic;
using System.Linq;

namespace Exclaves.Attack;

/// <summary>One attack as it runs: attempts that must be stopped and counted, and the same step where it is permitted.</summary>
/// <remarks>On a build without the defence that the attack aims at, the attempts must succeed instead, and nothing else is tried.</remarks>
internal sealed class Trial
{
    private readonly Dictionary<string, ulong> _rises = [];
    private string? _failure;
    private string? _controlFailure;
    private string _last = "";

    public Trial(Field field, bool isWeak)
    {
        Field = field;
        IsWeak = isWeak;
    }

    public Field Field { get; }

    /// <summary>The defence is left out: attempts must succeed, and put back what they change.</summary>
    public bool IsWeak { get; }

    public int Attempts { get; private set; }

    public int Held { get; private set; }

    public int Controls { get; private set; }

    public bool AttackHolds => Attempts > 0 && _failure is null;

    /// <summary>False also when there was none.</summary>
    public bool ControlHolds => Controls > 0 && _controlFailure is null;

    /// <summary>What went wrong first, or what came of the last attempt.</summary>
    public string Words => _failure ?? _last;

    public string ControlWords => _controlFailure ?? "";

    /// <summary>Counters that rose, and by how much.</summary>
    public string Rises => string.Join(", ", _rises.Where(rise => rise.Value != 0).Select(rise => $"{rise.Key} +{rise.Value}"));

    /// <summary>One attempt. It counts as stopped when it brought nothing and <paramref name="meter"/> rose by it.</summary>
    /// <param name="target">What it is tried on, for the report.</param>
    public void Try(string target, Meter meter, Func<Attempt> attempt) => Count(target, meter, IsWeak ? 0 : meter.Read(), attempt);

    /// <summary>What was tried before this program ran: <paramref name="meter"/> counts from the machine's start.</summary>
    /// <param name="finding">What came of it.</param>
    public void Find(string target, Meter meter, Func<Attempt> finding) => Count(target, meter, 0, finding);

    private void Count(string target, Meter meter, ulong before, Func<Attempt> attempt)
    {
        Attempt made = attempt();
        ulong rise = IsWeak ? 0 : unchecked(meter.Read() - before);
        Attempts++;
        _last = $"{target}: {made.Words}";
        if (!IsWeak)
        {
            _rises[meter.Name] = _rises.GetValueOrDefault(meter.Name) + rise;
        }

        if (IsWeak ? made.Loot : made.Refused && rise > 0)
        {
            Held++;
        }
        else
        {
            Fail($"{target}: {made.Words}{(!IsWeak && made.Refused ? $", but {meter.Name} did not rise" : "")}");
        }
    }

    /// <summary>The same step on something that the attacker may do it to: must succeed.</summary>
    public void Permit(string target, Func<Attempt> step)
    {
        if (IsWeak)
        {
            return;
        }

        Attempt made = step();
        Controls++;
        if (!made.Loot)
        {
            _controlFailure ??= $"{target}: {made.Words}";
        }
    }

    /// <summary>The attack could not be carried out, or left something broken.</summary>
    public void Fail(string why) => _failure ??= why;
}
