using System;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>What shows that an attack could succeed. The default value is none, which no row may have.</summary>
public readonly record struct Control
{
    private readonly string? _target;
    private readonly Defence? _without;

    private Control(string? target, Defence? without)
    {
        _target = target;
        _without = without;
    }

    public bool Exists => _target is not null || _without is not null;

    /// <summary>The defence without which the attack succeeds; null when the control is a permitted target.</summary>
    public Defence? Left => _without;

    /// <summary>The same step, on the same build, on something that the attacker may do it to: it succeeds.</summary>
    public static Control Allowed(string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        return new Control(target, null);
    }

    /// <summary>The attack itself, on a build with this one defence left out: it succeeds.</summary>
    public static Control Without(Defence defence) => new(null, defence);

    public override string ToString() => _without is { } defence ? $"succeeds without {defence}" : $"permitted: {_target}";
}
