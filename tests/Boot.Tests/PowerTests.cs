using System;
using System.Threading.Tasks;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>CPUs come and go under load, and what the machine's end leaves in memory.</summary>
public class PowerTests
{
    private const string Work = "exclave-sign sign /init --signature /tmp/s --public /tmp/p && exclave-guest hello --count 100 --processes 2";

    /// <summary>The carve-out of a machine with 2 GiB: the frame table, the monitor's tables, then all that components own.</summary>
    private const ulong Pool = 0xB800_0000;
    private const int PoolBytes = 0x800_0000;
    private const int PageBytes = 4096;
    private const int FrameEntryBytes = 4;

    [Theory, InlineData("poweroff -f"), InlineData("reboot -f")]
    public async Task TheEndOfTheMachineLeavesNothingOfTheSecureWorldInMemory(string end)
    {
        (int frames, int used) = CountSecureFrames(await PausedMachine.MemoryAfter($"{Work}; {end}", null, Pool, PoolBytes));
        Assert.InRange(frames, 20_000, PoolBytes / PageBytes);
        Assert.Equal(0, used);
    }

    /// <summary>The same question, asked while the machine runs: the answer shows that the question is right.</summary>
    [Fact]
    public async Task AMachineThatRunsHasSecretsInMemory()
    {
        (_, int used) = CountSecureFrames(await PausedMachine.MemoryAfter($"{Work}; echo worked > /dev/kmsg; sleep 60", "worked", Pool, PoolBytes));
        Assert.True(used > 200, $"{used} frames");
    }

    [Fact]
    public async Task CpusComeAndGoUnderLoad()
    {
        const string Storm = """
            exclave-guest hello --count 20000 --processes 6 > /tmp/said & load=$!
            turns=0
            while kill -0 $load 2> /dev/null; do
                for cpu in 1 2 3; do echo 0 > /sys/devices/system/cpu/cpu$cpu/online; done
                for cpu in 3 1 2; do echo 1 > /sys/devices/system/cpu/cpu$cpu/online; done
                turns=$((turns + 1))
            done
            wait $load || exit
            cat /tmp/said
            echo "turns $turns"
            nproc
            """;
        string said = await Guest.Require(Guest.Usual with { Cpus = 4 }, Storm, 300);
        Assert.Contains(": 0 lost, 0 wrong", said);
        Assert.Matches(@"turns [1-9][0-9]*\n4\n$", said);
    }

    /// <summary>Frames that SK owns after the frame table that lies at the pool's start, and how many of them hold anything but zeroes.</summary>
    private static (int Frames, int Used) CountSecureFrames(ReadOnlySpan<byte> pool)
    {
        int first = (int)((Pool - Virt.RamBase) / PageBytes);
        (int frames, int used) = (0, 0);
        for (int i = 0; i < PoolBytes / PageBytes; i++)
        {
            if ((FrameType)pool[(first + i) * FrameEntryBytes] == FrameType.SkDefault)
            {
                frames++;
                used += pool.Slice(i * PageBytes, PageBytes).ContainsAnyExcept((byte)0) ? 1 : 0;
            }
        }

        return (frames, used);
    }
}
