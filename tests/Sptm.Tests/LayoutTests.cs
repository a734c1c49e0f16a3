using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Exclaves.Abi;
using Exclaves.Sptm.Image;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Assembly and C# agree: layout.h with the structs, worldregs.h with the enumeration.</summary>
public partial class LayoutTests
{
    [Fact]
    public void FrameOffsetsMatchTheHeader()
    {
        Dictionary<string, long> header = Defines("layout.h");
        Assert.Equal(header["FRAME_BYTES"], Unsafe.SizeOf<TrapFrame>());
        Assert.Equal(header["FRAME_X"], Offset<TrapFrame>(nameof(TrapFrame.X)));
        Assert.Equal(header["FRAME_ELR"], Offset<TrapFrame>(nameof(TrapFrame.ProgramCounter)));
        Assert.Equal(header["FRAME_SPSR"], Offset<TrapFrame>(nameof(TrapFrame.ProcessorState)));
        Assert.Equal(header["FRAME_ESR"], Offset<TrapFrame>(nameof(TrapFrame.Syndrome)));
        Assert.Equal(header["FRAME_FPCR"], Offset<TrapFrame>(nameof(TrapFrame.FloatControl)));
        Assert.Equal(header["FRAME_FPSR"], Offset<TrapFrame>(nameof(TrapFrame.FloatStatus)));
        Assert.Equal(header["FRAME_V"], Offset<TrapFrame>(nameof(TrapFrame.V)));
        Assert.Equal(header["PERCPU_FEATURES"], Offset<PerCpu>(nameof(PerCpu.Features)));
        Assert.Equal(Virt.MaxCpus, header["MAX_CPUS"]);
        Assert.Equal(FirmwareLog.Bytes, header["LOG_BYTES"]);
        Assert.True(Unsafe.SizeOf<PerCpu>() <= header["PERCPU_BYTES"], $"PerCpu has {Unsafe.SizeOf<PerCpu>()} bytes");
    }

    [Fact]
    public void WorldRegistersMatchTheTable()
    {
        string[] table = [.. TableRow().Matches(File.ReadAllText("worldregs.h")).Select(m => m.Groups[1].Value.Replace("_", "", StringComparison.Ordinal))];
        string[] enumeration = [.. Enum.GetNames<WorldRegister>().Where(n => n != nameof(WorldRegister.Count))];
        Assert.Equal(enumeration, table, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public void AFrameEntryIsOneWord() => Assert.Equal(4, Unsafe.SizeOf<FrameEntry>());

    [Fact]
    public void UserContextIsWhatTheVectorsSave()
    {
        Assert.Equal(832, Unsafe.SizeOf<UserContext>());
        Assert.Equal(248, Offset<UserContext>(nameof(UserContext.StackPointer)));
        Assert.Equal(320, Offset<UserContext>(nameof(UserContext.V)));
    }

    private static long Offset<T>(string field) => Marshal.OffsetOf<T>(field).ToInt64();

    [Fact]
    public void DefencesOfAssemblyHaveTheirNumbers()
    {
        Dictionary<string, long> header = Defines("weak.h");
        Assert.Equal(3, header.Count);
        Assert.Equal((long)Defence.WorldRegisters, header["DEFENCE_WORLD_REGISTERS"]);
        Assert.Equal((long)Defence.WorldVectors, header["DEFENCE_WORLD_VECTORS"]);
        Assert.Equal((long)Defence.WorldDebug, header["DEFENCE_WORLD_DEBUG"]);
    }

    private static Dictionary<string, long> Defines(string file) =>
        Define().Matches(File.ReadAllText(file)).ToDictionary(
            m => m.Groups[1].Value,
            m => m.Groups[2].Value.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt64(m.Groups[2].Value, 16) : Convert.ToInt64(m.Groups[2].Value, 10));

    [GeneratedRegex(@"#define\s+(\w+)\s+(0x[0-9a-fA-F]+|\d+)")]
    private static partial Regex Define();

    [GeneratedRegex(@"R\((\w+_EL\d)\)")]
    private static partial Regex TableRow();
}
