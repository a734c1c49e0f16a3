using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Client;
using Xunit;

namespace Exclaves.Signer.Tests;

/// <summary>What `dotnet run` runs: Signer as a process of this machine.</summary>
public sealed partial class DevelopmentTests : IDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"exclaves-{Guid.NewGuid():N}");

    private Process? _process;

    private string Socket => Path.Combine(_folder, "signer.sock");

    public void Dispose()
    {
        if (_process is { HasExited: false } left)
        {
            left.Kill();
        }

        _process?.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task ItSaysWhatItIsServesItsUserAloneAndEndsWithCtrlC()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Process process = Start();
        Assert.Contains("Keys in it are NOT protected", await process.StandardError.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Contains($"listens at unix:{Socket}", await process.StandardError.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));

        using SignerClient signer = SignerClient.Over(ServiceConnection.Open(ServiceName.Signer, "unix:" + Socket));
        byte[] key = signer.Generate();
        Assert.Equal(key, signer.PublicKey());
        Assert.NotEmpty(signer.Sign(new byte[SignerClient.DigestBytes]));

        Assert.Equal(0, Kill(process.Id, Interrupt));
        Assert.Equal(0, await End(process));
        Assert.False(File.Exists(Socket));
        Assert.Equal(TeeFailure.ServiceEnded, Assert.Throws<TeeException>(signer.PublicKey).Failure);
    }

    [Fact]
    public async Task AFolderThatOthersMayEnterIsRefused()
    {
        Directory.CreateDirectory(_folder);
        Process process = Start();
        Assert.Contains("is open to other users", await process.StandardError.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await End(process));
    }

    [Theory]
    [InlineData("unix:/nowhere/at/all", "nobody listens there")]
    [InlineData("tee:/dev/no-such-device", "no such device")]
    [InlineData("/dev/tee0", "an address is tee:DEVICE or unix:SOCKET")]
    public void AnAddressWhereNobodyIsSaysSo(string address, string expected)
    {
        TeeException error = Assert.Throws<TeeException>(() => ServiceConnection.Open(ServiceName.Signer, address));
        Assert.Equal(TeeFailure.NoDevice, error.Failure);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private Process Start()
    {
        // Who runs the tests in a script's background has its SIGINT ignored, and children inherit that; a terminal's foreground is what is meant here.
        ProcessStartInfo start = new("env", ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "signer.dll")]) { RedirectStandardError = true };
        start.Environment["EXCLAVE_SOCKET"] = Socket;
        _process = Process.Start(start)!;
        return _process;
    }

    private static async Task<int> End(Process process)
    {
        using CancellationTokenSource limit = new(Patience);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
