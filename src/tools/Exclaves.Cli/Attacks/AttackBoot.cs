using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Attacks;
using Exclaves.Cli.Image;
using Exclaves.Cli.Machine;

namespace Exclaves.Cli.Attacks;

/// <summary>One boot of the suite: a machine, the one defence that its monitor lacks, if any, and the attack that has the machine to itself, if any.</summary>
/// <param name="Changed">What is changed in the finished image.</param>
public sealed record AttackBoot(AttackMachine Machine, Defence? Without, string? Alone = null, ImagePlace? Changed = null)
{
    /// <summary>Size of the disk that <see cref="Spec"/> wants, in bytes.</summary>
    public const int DiskBytes = 1 << 20;

    /// <summary>The mask lets `edu` name every address: without it the device clamps them below RAM, and an attack would try nothing.</summary>
    private const string Edu = "edu,dma_mask=0xffffffffffff";

    private static readonly string[] Masters = [Edu, "pcie-root-port,id=port0,chassis=1", Edu + ",bus=port0", "e1000,romfile="];

    private static readonly string Components = Path.Combine("tests", "attacks", "rogue.json");

    public string Title => $"attack: {(Machine == AttackMachine.Usual ? "" : Machine + ", ")}{(Without is { } defence ? $"{Alone ?? "controls"} without {defence}" : Alone ?? "the product")}";

    /// <summary>The boots that the attacks a person asked for need, each once, the product's before the others.</summary>
    public static IReadOnlyList<AttackBoot> Plan(IEnumerable<AttackRow> rows)
    {
        List<AttackRow> all = [.. rows];
        return
        [
            .. all.Select(row => new AttackBoot(row.Machine, null, row.IsAlone ? row.Name : null, row.Changed))
                .Concat(all.Where(row => row.Control.Left is not null)
                    .Select(row => new AttackBoot(row.Machine, row.Control.Left, row.Changed is null ? null : row.Name, row.Changed)))
                .Distinct()
                .OrderBy(boot => boot.Without is null ? 0 : 1)
                .ThenBy(boot => boot.Alone is null ? 0 : 1)
                .ThenBy(boot => boot.Machine)
                .ThenBy(boot => boot.Without),
        ];
    }

    /// <param name="disk">File that the machine may have as its disk.</param>
    public MachineSpec Spec(string disk)
    {
        MachineSpec spec = Machine switch
        {
            AttackMachine.RogueKernel => new() { HasRogueKernel = true },
            AttackMachine.RogueKernelMax => new() { HasRogueKernel = true, Cpu = "max,pauth-impdef=on" },
            AttackMachine.RogueKernelCounted => new() { HasRogueKernel = true, Cpu = "max,pauth-impdef=on", CountsInstructions = true, Cpus = 1 },
            AttackMachine.Devices => new() { Addition = Components, HasInterruptTranslation = true, Disk = disk, Devices = Masters },
            AttackMachine.ChangedImage => new(),
            AttackMachine.Counted => new() { Addition = Components, CountsInstructions = true, Cpus = 1 },
            _ => new() { Addition = Components },
        };
        return Without is { } defence ? spec with { Variant = ImageVariant.Weak, Without = [defence] } : spec;
    }

    /// <summary>What is done to the image before it boots.</summary>
    public Action<string>? Alter => Changed is { } place ? image => ImageChange.Flip(image, place) : null;

    /// <summary>What the guest runs.</summary>
    public IReadOnlyList<string> Command(string filter) =>
    [
        "sh", "-c",
        "insmod /lib/modules/exclave_attack.ko && insmod /lib/modules/exclave_registers.ko && exec exclave-attack suite"
        + $" --machine {Machine} --without '{Without?.ToString() ?? ""}' --only '{Alone ?? filter}'",
    ];
}
