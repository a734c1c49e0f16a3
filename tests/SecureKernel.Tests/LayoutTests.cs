using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Numbers that assembly repeats are those of the structures (STYLE b.7).</summary>
public partial class LayoutTests
{
    [Fact]
    public void KernelAssemblyAgreesWithTheStructures()
    {
        Dictionary<string, ulong> header = Defines("src/sk/SecureKernel.Image/layout.h");
        Dictionary<string, ulong> expected = new()
        {
            ["CONTEXT_SP"] = Offset<UserContext>(nameof(UserContext.StackPointer)),
            ["CONTEXT_PC"] = Offset<UserContext>(nameof(UserContext.ProgramCounter)),
            ["CONTEXT_STATE"] = Offset<UserContext>(nameof(UserContext.ProcessorState)),
            ["CONTEXT_TPIDR"] = Offset<UserContext>(nameof(UserContext.ThreadPointer)),
            ["CONTEXT_FAR"] = Offset<UserContext>(nameof(UserContext.FaultAddress)),
            ["CONTEXT_ESR"] = Offset<UserContext>(nameof(UserContext.Syndrome)),
            ["CONTEXT_FPCR"] = Offset<UserContext>(nameof(UserContext.FloatControl)),
            ["CONTEXT_FPSR"] = Offset<UserContext>(nameof(UserContext.FloatStatus)),
            ["CONTEXT_V"] = Offset<UserContext>(nameof(UserContext.V)),
            ["BOOTINFO_SEED0"] = Offset<BootInfo>(nameof(BootInfo.Seed0)),
            ["STATE_MASK"] = Exceptions<FakeMachine>.ProcessorStateMask,
            ["MAX_CPUS"] = Virt.MaxCpus,
        };
        foreach (var (name, value) in expected)
        {
            Assert.True(header[name] == value, $"{name} is {header[name]} and must be {value}");
        }
    }

    [Fact]
    public void StartUpAgreesWithTheStructures()
    {
        Dictionary<string, ulong> start = Defines("src/secure/Runtime/start.S");
        Assert.Equal(Offset<StartInfo>(nameof(StartInfo.Cookie)), start["STARTINFO_COOKIE"]);
        Assert.Equal((ulong)SecureCall.Exit, start["CALL_EXIT"]);
    }

    [Fact]
    public void TheContextOfAThreadIsItsStart() =>
        Assert.Equal(0ul, Offset<Thread>(nameof(Thread.Context)));

    [Fact]
    public void ObjectsFitWhereTheyLie()
    {
        Assert.InRange((ulong)Unsafe.SizeOf<Thread>(), 1ul, Thread.Bytes);
        Assert.Equal(CapabilitySlot.Bytes, (ulong)Unsafe.SizeOf<CapabilitySlot>());
        Assert.InRange(Unsafe.SizeOf<Endpoint>(), 1, 1 << Endpoint.SizeLog2);
        Assert.InRange(Unsafe.SizeOf<Notification>(), 1, 1 << Notification.SizeLog2);
        Assert.InRange(Unsafe.SizeOf<Reply>(), 1, 1 << Reply.SizeLog2);
    }

    [Theory]
    [InlineData(Services.Hello, Services.HelloLow, Services.HelloHigh)]
    [InlineData(Services.Signer, Services.SignerLow, Services.SignerHigh)]
    [InlineData(Services.Statistics, Services.StatisticsLow, Services.StatisticsHigh)]
    [InlineData(Services.Enumeration, Services.EnumerationLow, Services.EnumerationHigh)]
    public void WordsOfAServiceAreItsUuid(string text, ulong low, ulong high)
    {
        byte[] bytes = Guid.Parse(text).ToByteArray(bigEndian: true);
        Assert.Equal((BitConverter.ToUInt64(bytes, 0), BitConverter.ToUInt64(bytes, 8)), (low, high));
    }

    private static ulong Offset<T>(string field) => (ulong)Marshal.OffsetOf<T>(field);

    private static Dictionary<string, ulong> Defines(string file)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Exclaves.slnx")))
        {
            folder = folder.Parent;
        }

        Dictionary<string, ulong> values = [];
        foreach (Match match in Define().Matches(File.ReadAllText(Path.Combine(folder!.FullName, file))))
        {
            string number = match.Groups[2].Value;
            values[match.Groups[1].Value] = number.StartsWith("0x", StringComparison.Ordinal)
                ? ulong.Parse(number.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                : ulong.Parse(number, CultureInfo.InvariantCulture);
        }

        return values;
    }

    [GeneratedRegex(@"^#define\s+(\w+)\s+(0x[0-9A-Fa-f]+|\d+)", RegexOptions.Multiline)]
    private static partial Regex Define();
}
