using System;
using System.Linq;
using Xunit;

namespace Exclaves.Toolchain.Tests;

/// <summary>The probe image runs at EL2 in the emulator and reports each promise of the core library.</summary>
public class ProbeTests
{
    [Fact]
    public void EveryCheckPassesAtExceptionLevel2()
    {
        (int exit, string output) = Tool.Run(
            TimeSpan.FromSeconds(60),
            "qemu-system-aarch64",
            "-machine", "virt,virtualization=on,gic-version=3,its=off",
            "-cpu", "neoverse-n1,pmu=off",
            "-m", "256",
            "-nographic",
            "-nic", "none",
            "-kernel", Tool.Path("out", "obj", "Probe", "Probe.bin"));

        string[] lines = output.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, exit);
        Assert.DoesNotContain(lines, l => l.StartsWith("FAIL", StringComparison.Ordinal));
        Assert.Equal(27, lines.Count(l => l.StartsWith("ok ", StringComparison.Ordinal)));
        Assert.Equal("exc_fail 1", lines[^1]);
    }
}
