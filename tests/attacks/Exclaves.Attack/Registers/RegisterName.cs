using System;
using System.Collections.Generic;

namespace Exclaves.Attack;

/// <summary>How a register is kept from the other world: the tables of tests/RogueKernel/registers.h.</summary>
internal enum RegisterClass
{
    /// <summary>Each world's own, and no world can run a test with anything else in it.</summary>
    Vital,

    /// <summary>Each world's own.</summary>
    Switched,

    /// <summary>A part of PSTATE.</summary>
    State,

    /// <summary>Not switched, so hidden from SK, or the same whatever Linux does.</summary>
    Hidden,

    /// <summary>Hidden, and moved by Linux's own time.</summary>
    Counting,

    /// <summary>Linux's, and goes on while SK runs: the two exceptions that docs/decisions names.</summary>
    Live,
}

/// <summary>One word of a snapshot.</summary>
internal sealed record RegisterName(string Name, RegisterClass Class)
{
    /// <summary>What stands for a register whose read was refused.</summary>
    public const ulong Trapped = 0x5452_4150_5045_4421;

    public const int StackPointer = 31;
    public const int FirstVector = 32;
    public const int FloatControl = 96;
    public const int FirstSystem = 98;

    /// <summary>Names of all words: those that every snapshot begins with, then what the module lists, a line for each: class and name.</summary>
    public static IReadOnlyList<RegisterName> Parse(string lines)
    {
        List<RegisterName> names = [];
        for (int i = 0; i < StackPointer; i++)
        {
            names.Add(new($"x{i}", RegisterClass.Switched));
        }

        names.Add(new("SP_EL1", RegisterClass.Vital));
        for (int i = 0; i < FloatControl - FirstVector; i++)
        {
            names.Add(new($"V{i / 2}.{i % 2}", RegisterClass.Switched));
        }

        names.Add(new("FPCR", RegisterClass.Switched));
        names.Add(new("FPSR", RegisterClass.Switched));
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            names.Add(new(words[1], Enum.Parse<RegisterClass>(words[0], ignoreCase: true)));
        }

        return names;
    }
}
