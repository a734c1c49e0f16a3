using System;
using System.Linq;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>The image boots an unmodified Debian kernel, which finds the secure world by its own driver.</summary>
public class BootTests
{
    private const double TeeLimitSeconds = 8;
    private const int Attempts = 3;

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task LinuxHasAllCpusAndTheTeeDevice(int cpus)
    {
        string said = await Guest.Require(Guest.Usual with { Cpus = cpus }, "test -c /dev/tee0 && nproc && exclave-guest hello --count 100 --processes 2");
        Assert.StartsWith($"{cpus}\n", said);
    }

    [Fact]
    public async Task TheTeeDeviceIsThereInTimeAndTheLogSaysHowLongEachStageTook()
    {
        double best = double.MaxValue;
        for (int i = 0; i < Attempts && best > TeeLimitSeconds; i++)
        {
            GuestResult result = await Guest.Run(Guest.Product, "true");
            Assert.Equal(0, result.Outcome.ExitStatus);
            best = Math.Min(best, result.Outcome.Console.Stages.Single(stage => stage.Name == "tee").Time.TotalSeconds);
            Assert.Matches(@"exclave: first output \+[0-9.]+, kernel \+[0-9.]+, init \+[0-9.]+, modules .*, tee .*, ready .* s\n$", result.Console);
        }

        Assert.True(best <= TeeLimitSeconds, $"/dev/tee0 after {best} s");
    }

    [Fact]
    public async Task OtherAmountsOfMemoryBoot()
    {
        string said = await Guest.Require(Guest.Usual with { MemoryMib = 1024 }, "grep MemTotal /proc/meminfo; exclave-sign sign /init --signature /tmp/s --public /tmp/p && ls /tmp/s");
        Assert.Contains("/tmp/s", said);
    }

    [Fact]
    public async Task KernelArgumentsReachTheKernel()
    {
        string said = await Guest.Require(Guest.Usual with { Append = "exclaves.test=17" }, "cat /proc/cmdline");
        Assert.Contains("exclaves.test=17", said);
    }

    [Fact]
    public async Task TheSecureWorldsEntropyDeviceIsHidden()
    {
        string said = await Guest.Require(Guest.Usual, "ls /proc/device-tree | grep -c a000000 || true; ls -d /proc/device-tree/firmware/optee; ls /proc/device-tree/reserved-memory");
        Assert.StartsWith("0\n", said);
    }
}
