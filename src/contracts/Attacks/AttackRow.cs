namespace Exclaves.Attacks;

/// <summary>One attack, as a person would describe it.</summary>
/// <param name="Name">Its code in `exclave-attack` goes by this name.</param>
/// <param name="Mechanism">The way in, in a few words: attacks that share it are variants of one another.</param>
/// <param name="Tried">What the attacker does.</param>
/// <param name="StoppedBy">Who must stop it, and by what rule. The counters that rose are added when it has run.</param>
/// <param name="Machine">Which machine it needs.</param>
/// <param name="Changed">What the attacker has changed in the image before the machine boots, so the attack has a machine to itself.</param>
/// <param name="EndsWorld">What stops it ends the secure world, so it has a machine to itself.</param>
public sealed record AttackRow(
    string Name,
    Invariant Invariant,
    Stand Stand,
    string Mechanism,
    string Tried,
    string StoppedBy,
    Control Control,
    AttackMachine Machine = AttackMachine.Usual,
    bool EndsWorld = false,
    ImagePlace? Changed = null)
{
    public bool IsAlone => EndsWorld || Changed is not null;
}
