using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>Finds the code of the catalogue's attacks and runs them, one JSON object on a line of standard output for each result.</summary>
internal sealed class Suite
{
    private readonly Dictionary<string, Action<Trial>> _attacks = [];

    private Suite()
    {
    }

    public IReadOnlyCollection<string> Names => _attacks.Keys;

    /// <summary>Everything there is code for.</summary>
    public static Suite Create()
    {
        Suite suite = new();
        MemoryAttacks.AddTo(suite);
        CallAttacks.AddTo(suite);
        DeviceAttacks.AddTo(suite);
        DonatedFrameAttacks.AddTo(suite);
        BypassAttacks.AddTo(suite);
        InterruptAttacks.AddTo(suite);
        ReentryAttacks.AddTo(suite);
        RegisterAttacks.AddTo(suite);
        SecureKernelAttacks.AddTo(suite);
        ComponentAttacks.AddTo(suite);
        ImageAttacks.AddTo(suite);
        return suite;
    }

    public void Add(string name, Action<Trial> attack) => _attacks.Add(name, attack);

    /// <summary>Runs what belongs on this machine and build. False: something did not come out as it must.</summary>
    /// <param name="without">Defences that this build lacks; none on the product.</param>
    /// <param name="filter">See <see cref="AttackCatalogue.Matches"/>.</param>
    public bool Run(Field field, AttackMachine machine, IReadOnlyList<Defence> without, string filter)
    {
        bool clean = true;
        foreach (AttackRow row in AttackCatalogue.All.Where(row => row.Machine == machine && AttackCatalogue.Matches(row, filter)))
        {
            if (without.Count == 0 && row.IsAlone && filter != row.Name)
            {
                continue;
            }

            if (without.Count == 0)
            {
                clean &= RunOne(field, row, isWeak: false);
            }
            else if (row.Control.Left is { } left && without.Contains(left))
            {
                clean &= RunOne(field, row, isWeak: true);
            }
        }

        return clean;
    }

    private bool RunOne(Field field, AttackRow row, bool isWeak)
    {
        Console.Out.WriteLine($"{{\"begin\":\"{row.Name}\"}}");
        Console.Out.Flush();
        Trial trial = new(field, isWeak);
        try
        {
            _attacks[row.Name](trial);
        }
        catch (Exception error) when (error is InvalidOperationException or TeeException or ArgumentException or KeyNotFoundException)
        {
            trial.Fail(error.Message);
        }

        if (!field.IsAlive(out string why))
        {
            trial.Fail($"afterwards the secure world does not answer: {why}");
        }

        Print(row.Name, isWeak ? "control" : "attack", trial.Attempts, trial.Held, trial.AttackHolds, trial.Rises, trial.Words);
        bool permits = !isWeak && row.Control.Left is null;
        if (permits)
        {
            Print(row.Name, "control", trial.Controls, trial.Controls, trial.ControlHolds, "", trial.Controls == 0 ? "none was tried" : trial.ControlWords);
        }

        return trial.AttackHolds && (!permits || trial.ControlHolds);
    }

    private static void Print(string name, string part, int attempts, int held, bool ok, string counters, string words)
    {
        Console.Out.WriteLine(
            $"{{\"attack\":\"{name}\",\"part\":\"{part}\",\"attempts\":{attempts},\"held\":{held},\"ok\":{(ok ? "true" : "false")}," +
            $"\"counters\":\"{Escape(counters)}\",\"words\":\"{Escape(words)}\"}}");
        Console.Out.Flush();
        Console.Error.WriteLine($"{(ok ? "ok  " : "FAIL")} {part,-7} {name,-24} {held} of {attempts}  {counters}  {words}");
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", " ");
}
