using System.IO;
using System.Threading.Tasks;
using Exclaves.Cli;
using Xunit;

namespace Exclaves.Boot.Tests;

/// <summary>What `exclave run` promises: the command's bytes and status, and an end in time whatever the guest does.</summary>
public class RunTests
{
    [Fact]
    public async Task StatusAndBinaryOutputAreTheCommands()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "printf 'a\\0b\\377'; echo oops >&2; exit 41");
        Assert.Equal(41, result.Outcome.ExitStatus);
        Assert.Equal([(byte)'a', 0, (byte)'b', 0xFF], result.Output);
        Assert.Equal("oops\n", result.Errors);
    }

    [Fact]
    public async Task TheShareIsReadAndWritten()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("exclave-share-");
        try
        {
            byte[] content = new byte[3_000_000];
            new System.Random(1).NextBytes(content);
            File.WriteAllBytes(Path.Combine(folder.FullName, "in"), content);
            GuestResult result = await Guest.Run(Guest.Usual with { Share = folder.FullName }, "cp /share/in /share/out && cat /share/in");
            Assert.Equal(0, result.Outcome.ExitStatus);
            Assert.Equal(content, result.Output);
            Assert.Equal(content, File.ReadAllBytes(Path.Combine(folder.FullName, "out")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task APanicIsNamed()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "echo c > /proc/sysrq-trigger; sleep 60");
        Assert.StartsWith("The guest's kernel panicked: sysrq triggered crash.", result.Outcome.Failure);
        Assert.Equal(ExitCode.Machine, result.Outcome.FailureCode);
    }

    [Fact]
    public async Task AHangEndsWithTheTimeLimit()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "echo begun; sleep 1000", seconds: 3);
        Assert.StartsWith("The command did not end within 3 s", result.Outcome.Failure);
        Assert.Equal(ExitCode.TimeLimit, result.Outcome.FailureCode);
        Assert.Equal("begun\n", result.Text);
    }

    [Fact]
    public async Task AMachineThatIsSwitchedOffIsNoSuccess()
    {
        GuestResult result = await Guest.Run(Guest.Usual, "poweroff -f");
        Assert.StartsWith("The machine stopped before the command ended", result.Outcome.Failure);
    }
}
