namespace Exclaves.Attack;

/// <summary>What an attempt brought: nothing (it was refused as it must be), loot, or something that is neither.</summary>
internal readonly record struct Attempt(bool Refused, bool Loot, string Words)
{
    public static Attempt Stopped(string words) => new(true, false, words);

    public static Attempt Succeeded(string words) => new(false, true, words);

    public static Attempt Neither(string words) => new(false, false, words);

    /// <summary>An answer that is a refusal when <paramref name="refused"/>, and loot otherwise.</summary>
    public static Attempt Of(bool refused, string words) => new(refused, !refused, words);
}
