using System.Collections.Generic;

namespace Exclaves.Attack;

/// <summary>One crossing: what Linux had in its registers before and after a call, and what SK found on its way in.</summary>
internal sealed record Crossing(ulong[] Before, ulong[] Inside, ulong[] After);

/// <summary>Compares crossings that differ in what one world had in its registers: whatever follows the difference on the other side has leaked (I5).</summary>
internal static class LeakCheck
{
    /// <summary>x0 to x5 carry the request.</summary>
    private const int Operands = 6;

    /// <summary>x0 to x3 carry the answer.</summary>
    public const int Answers = 4;

    /// <summary>Registers in which SK saw what Linux had: they follow Linux's from one crossing to the other, though SK's own were the same.</summary>
    /// <param name="visible">How many registers Linux could fill: without any the test says nothing.</param>
    public static List<string> Inward(IReadOnlyList<RegisterName> names, Crossing one, Crossing other, out int visible)
    {
        List<string> leaks = [];
        visible = 0;
        for (int i = Operands; i < names.Count; i++)
        {
            if (names[i].Class == RegisterClass.Live || one.Before[i] == other.Before[i])
            {
                continue;
            }

            visible++;
            if (one.Inside[i] != other.Inside[i])
            {
                leaks.Add($"{names[i].Name}: SK finds 0x{one.Inside[i]:x}, then 0x{other.Inside[i]:x}");
            }
        }

        return leaks;
    }

    /// <summary>Registers in which Linux does not find what it left there, though SK had filled them with something else.</summary>
    public static List<string> Outward(IReadOnlyList<RegisterName> names, Crossing crossing)
    {
        List<string> leaks = [];
        for (int i = Answers; i < names.Count; i++)
        {
            if (names[i].Class is not (RegisterClass.Live or RegisterClass.Counting) && crossing.Before[i] != crossing.After[i])
            {
                leaks.Add($"{names[i].Name}: Linux left 0x{crossing.Before[i]:x} and finds 0x{crossing.After[i]:x}");
            }
        }

        return leaks;
    }

    /// <summary>Registers that SK finds as it left them: those that follow what SK, not Linux, had put there.</summary>
    public static int OwnRegisters(IReadOnlyList<RegisterName> names, Crossing one, Crossing otherSeedOfSk)
    {
        int own = 0;
        for (int i = Operands; i < names.Count; i++)
        {
            own += one.Inside[i] != otherSeedOfSk.Inside[i] ? 1 : 0;
        }

        return own;
    }
}
