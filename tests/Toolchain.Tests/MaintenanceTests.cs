using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Toolchain.Tests;

/// <summary>The monitor's image has the instructions that forget translations where they are expected, whole, and nowhere else.</summary>
/// <remarks>QEMU forgets more than it is told to, so a weaker instruction inside such a leaf would show in no other test.</remarks>
public class MaintenanceTests
{
    private static readonly string Elf = Tool.Path("out", "obj", "Sptm", "Sptm.elf");

    [Theory]
    [InlineData("sptm_invalidate_ipa", "tlbi ipas2e1is, x1|dsb ish|tlbi vmalle1is|dsb ish")]
    [InlineData("sptm_invalidate_vmid", "tlbi vmalls12e1is|dsb ish")]
    public void ALeafNamesTheTranslationInvalidatesAndWaits(string name, string what)
    {
        string[] expected =
        [
            "mrs x2, VTTBR_EL2", "mrs x3, HCR_EL2", "orr x4, x3, #0x1", "msr HCR_EL2, x4", "msr VTTBR_EL2, x0", "isb",
            .. what.Split('|'),
            "msr VTTBR_EL2, x2", "msr HCR_EL2, x3", "isb", "ret",
        ];
        Assert.Equal(expected, Disassemble(name));
    }

    [Fact]
    public void ACleanedRangeIsWrittenBackLineByLine()
    {
        string[] lines = Disassemble("sptm_clean_range");
        Assert.Equal(["cmp x0, x1", "dc civac, x0", "add x0, x0, #64", "dsb sy", "ret"], lines.Where(line => !line.StartsWith('b')));
    }

    /// <summary>TLBI, IC, DC and AT (op0 1 of the system instructions), and writes of the registers that say where translation starts.</summary>
    [Fact]
    public void NothingElseMaintainsOrMovesATranslation()
    {
        SortedDictionary<string, int> found = new(StringComparer.Ordinal);
        (ulong start, ulong end, List<(ulong Address, string Name)> names) = ReadSymbols();
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(File.ReadAllBytes(Path.ChangeExtension(Elf, ".bin")));
        for (ulong address = start; address < end; address += 4)
        {
            if (NameOf(words[(int)((address - Virt.SptmBase) / 4)]) is { } instruction)
            {
                string key = $"{names.Last(symbol => symbol.Address <= address).Name}: {instruction}";
                found[key] = found.GetValueOrDefault(key) + 1;
            }
        }

        Assert.Equal(Expected, found.Select(pair => $"{pair.Key} {pair.Value}"));
    }

    /// <summary>Function, what it does, how often.</summary>
    private static string[] Expected { get; } =
    [
        "arm64_ic_ialluis: IC IALLUIS 1",
        "arm64_tlbi_alle1: TLBI ALLE1 1",
        "cpu_setup: HCR_EL2 1",
        "cpu_setup: SCTLR_EL2 1",
        "cpu_setup: TCR_EL2 1",
        "cpu_setup: TLBI ALLE1 1",
        "cpu_setup: TLBI ALLE2 1",
        "cpu_setup: TTBR0_EL2 1",
        "cpu_setup: VTCR_EL2 1",
        "sptm_clean_range: DC CIVAC 1",
        "sptm_invalidate_ipa: HCR_EL2 2",
        "sptm_invalidate_ipa: TLBI IPAS2E1IS 1",
        "sptm_invalidate_ipa: TLBI VMALLE1IS 1",
        "sptm_invalidate_ipa: VTTBR_EL2 2",
        "sptm_invalidate_vmid: HCR_EL2 2",
        "sptm_invalidate_vmid: TLBI VMALLS12E1IS 1",
        "sptm_invalidate_vmid: VTTBR_EL2 2",
        "sptm_load_world: HCR_EL2 1",
        "sptm_load_world: VTTBR_EL2 1",
    ];

    /// <summary>Null: any other instruction.</summary>
    private static string? NameOf(uint word) => (word & 0xFFFF_FFE0) switch
    {
        0xD508_7100 => "IC IALLUIS",
        0xD50B_7E20 => "DC CIVAC",
        0xD50C_8020 => "TLBI IPAS2E1IS",
        0xD508_8300 => "TLBI VMALLE1IS",
        0xD50C_83C0 => "TLBI VMALLS12E1IS",
        0xD50C_8780 => "TLBI ALLE1",
        0xD50C_8700 => "TLBI ALLE2",
        0xD51C_2100 => "VTTBR_EL2",
        0xD51C_2140 => "VTCR_EL2",
        0xD51C_2000 => "TTBR0_EL2",
        0xD51C_2040 => "TCR_EL2",
        0xD51C_1000 => "SCTLR_EL2",
        0xD51C_1100 => "HCR_EL2",
        uint other => (other & 0xFFF8_0000) == 0xD508_0000 ? $"a system instruction, {other:x8}" : null,
    };

    private static (ulong Start, ulong End, List<(ulong Address, string Name)> Names) ReadSymbols()
    {
        List<(ulong Address, string Name)> all = [];
        foreach (string line in Run("llvm-nm", "--numeric-sort", Elf).Split('\n'))
        {
            string[] parts = line.Split(' ');
            if (parts.Length == 3 && !parts[2].StartsWith('$'))
            {
                all.Add((ulong.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), parts[2]));
            }
        }

        return (Virt.SptmBase, all.Single(symbol => symbol.Name == "__text_end").Address, all);
    }

    private static string[] Disassemble(string name) =>
    [
        .. Run("llvm-objdump", "-d", "--no-show-raw-insn", "--disassemble-symbols=" + name, Elf).Split('\n')
            .Select(line => Regex.Match(line, @"^[0-9a-f]+:\s+(?<what>.+)$"))
            .Where(match => match.Success)
            .Select(match => Regex.Replace(match.Groups["what"].Value.Trim(), @"\s+", " ")),
    ];

    private static string Run(string program, params string[] arguments)
    {
        (int exit, string output) = Tool.Run(TimeSpan.FromMinutes(1), program, arguments);
        Assert.True(exit == 0, output);
        return output;
    }
}
