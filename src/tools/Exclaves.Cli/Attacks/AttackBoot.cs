using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;

namespace Exclaves.Cli.Attacks;

/// <summary>One boot of the suite: a machine, and the one defence that its monitor lacks, if any.</summary>
public sealed record AttackBoot(AttackMachine Machine, Defence? Without)
{
    public string Title => $"attack: {(Machine == AttackMachine.Usual ? "" : Machine + ", ")}{(Without is { } defence ? $"controls without {defence}" : "the product")}";

    /// <summary>The boots that the attacks a person asked for need, each once, the product's before the others.</summary>
    public static IReadOnlyList<AttackBoot> Plan(IEnumerable<AttackRow> rows)
    {
        List<AttackRow> all = [.. rows];
        return
        [
            .. all.Select(row => new AttackBoot(row.Machine, null))
                .Concat(all.Where(row => row.Control.Left is not null).Select(row => new AttackBoot(row.Machine, row.Control.Left)))
                .Distinct()
                .OrderBy(boot => boot.Without is null ? 0 : 1)
                .ThenBy(boot => boot.Machine)
                .ThenBy(boot => boot.Without),
        ];
    }

    public MachineSpec Spec
    {
        get
        {
            MachineSpec spec = new() { Addition = Path.Combine("tests", "attacks", "rogue.json") };
            return Without is { } defence ? spec with { Variant = ImageVariant.Weak, Without = [defence] } : spec;
        }
    }

    /// <summary>What the guest runs.</summary>
    public IReadOnlyList<string> Command(string filter) =>
    [
        "sh", "-c",
        "insmod /lib/modules/exclave_attack.ko && exec exclave-attack suite"
        + $" --machine {Machine} --without '{Without?.ToString() ?? ""}' --only '{filter}'",
    ];
}
