using System;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Machine;
using Xunit;

namespace Exclaves.Cli.Tests;

/// <summary>Runs against a QEMU of our own making: whatever it does, the run ends in time, says why, and leaves no process.</summary>
[Collection(nameof(GuestRunTests))]
public sealed class GuestRunTests : IDisposable
{
    private const string Marker = "0123456789ABCDEF";

    /// <summary>Perl, which every Debian has: connects to the sockets that QEMU is told of, as QEMU does.</summary>
    private const string Connect = """
        #!/usr/bin/perl
        use IO::Socket::UNIX; $| = 1;
        open(P, ">", "$ENV{FAKE_PID}"); print P $$; close P;
        my ($o, $e) = map { IO::Socket::UNIX->new(Peer => $_) } map { /^socket,id=\w+,path=(.*)/ ? $1 : () } @ARGV;
        sub boot { print "[ 1.0] exclave: stage tee 1.00\n[ 1.1] exclave: stage ready 1.10\n"; }
        sub verdict { print $o "0123456789ABCDEF $_[0]\n"; print $e "0123456789ABCDEF\n"; $o->flush; $e->flush; <$o>; }
        """;

    private readonly FakeHost _host = new();
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _errors = new();

    private string PidFile => Path.Combine(_host.Root, "pid");

    private string ConsoleLog => Path.Combine(_host.Root, "out", "run", "console.log");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        Environment.SetEnvironmentVariable("FAKE_PID", null);
        _host.Dispose();
    }

    [Fact]
    public async Task OutputAndStatusOfTheCommandComeThrough()
    {
        GuestOutcome outcome = await Run(Connect + "\nboot(); print $o \"a\\0b\"; print $e \"oops\\n\"; verdict('exit 7');");
        Assert.Equal(7, outcome.RequireExitStatus());
        Assert.Equal("a\0b"u8.ToArray(), _output.ToArray());
        Assert.Equal("oops\n"u8.ToArray(), _errors.ToArray());
        Assert.Contains("stage ready", File.ReadAllText(ConsoleLog));
        AssertGone();
    }

    [Fact]
    public async Task AQemuThatWillNotStartIsQuoted()
    {
        GuestOutcome outcome = await Run("echo 'qemu-system-aarch64: could not load kernel' >&2; exit 1");
        AssertFailure(outcome, "QEMU will not start: qemu-system-aarch64: could not load kernel", ExitCode.Machine);
    }

    [Fact]
    public async Task AMissingQemuIsNamed()
    {
        Environment.SetEnvironmentVariable("PATH", _host.Programs);
        ExclaveException error = await Assert.ThrowsAsync<ExclaveException>(Start);
        Assert.Contains("'qemu-system-aarch64' cannot be run: it is not installed (Debian package qemu-system-arm", error.Message);
        Assert.Equal(ExitCode.MissingTool, error.ExitCode);
    }

    [Fact]
    public async Task AGuestThatNeverBootsIsGivenUp() =>
        AssertFailure(await Run(Connect + "\nprint \"EFI stub\\n\"; sleep 100;"), "The guest did not boot within 3 s; its last line: EFI stub", ExitCode.TimeLimit);

    [Fact]
    public async Task ACommandThatHangsIsGivenUp() =>
        AssertFailure(await Run(Connect + "\nboot(); sleep 100;"), "The command did not end within 2 s", ExitCode.TimeLimit);

    [Fact]
    public async Task APanicEndsTheRun() =>
        AssertFailure(await Run(Connect + "\nboot(); print \"[ 2.0] Kernel panic - not syncing: bad\\n\"; sleep 100;"), "The guest's kernel panicked: bad.", ExitCode.Machine);

    [Fact]
    public async Task AMachineThatStopsEarlyIsNoSuccess()
    {
        GuestOutcome outcome = await Run(Connect + "\nboot(); print $o 'partial'; print \"reboot: Power down\\n\";");
        AssertFailure(outcome, "The machine stopped before the command ended (QEMU's status 0); its last line: reboot: Power down", ExitCode.Machine);
        Assert.Equal("partial"u8.ToArray(), _output.ToArray());
    }

    [Fact]
    public async Task WhatTheGuestCannotDoIsSaid() =>
        AssertFailure(await Run(Connect + "\nprint \"x\\n\"; verdict('failed there is no /dev/tee0');"), "The guest is up, but there is no /dev/tee0.", ExitCode.Machine);

    [Fact]
    public async Task AFullDiskStopsTheRun()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(ConsoleLog)!);
        File.CreateSymbolicLink(ConsoleLog, "/dev/full");
        IOException error = await Assert.ThrowsAsync<IOException>(() => Run(Connect + "\nboot(); sleep 100;"));
        Assert.True(DiskErrors.IsFull(error));
        AssertGone();
    }

    [Fact]
    public async Task ACancelledRunLeavesNoProcess()
    {
        using CancellationTokenSource cancel = new(TimeSpan.FromSeconds(1));
        _host.Fake(QemuCommandLine.Program, Connect + "\nboot(); sleep 100;");
        UseFakes();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Make().Run(_output, _errors, cancel.Token));
        AssertGone();
    }

    private async Task<GuestOutcome> Run(string program)
    {
        _host.Fake(QemuCommandLine.Program, program);
        UseFakes();
        GuestOutcome outcome = await Start();
        AssertGone();
        return outcome;
    }

    private void UseFakes()
    {
        Environment.SetEnvironmentVariable("PATH", _host.Programs + ":" + _path);
        Environment.SetEnvironmentVariable("FAKE_PID", PidFile);
    }

    private Task<GuestOutcome> Start() => Make().Run(_output, _errors, CancellationToken.None);

    private GuestRun Make() => new(new MachineSpec(), "none", Marker, ConsoleLog)
    {
        BootLimit = TimeSpan.FromSeconds(3),
        CommandLimit = TimeSpan.FromSeconds(2),
    };

    private void AssertGone()
    {
        if (File.Exists(PidFile))
        {
            int process = int.Parse(File.ReadAllText(PidFile));
            Assert.False(Directory.Exists($"/proc/{process}"), "QEMU still runs.");
        }
    }

    private static void AssertFailure(GuestOutcome outcome, string message, int code)
    {
        Assert.Null(outcome.ExitStatus);
        Assert.StartsWith(message, outcome.Failure);
        Assert.Equal(code, outcome.FailureCode);
    }
}
