using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sockets;
using Xunit;

namespace Exclaves.Client.Tests;

/// <summary>`exclavectl log` against a log that grows faster than it can be read.</summary>
public sealed class LogCommandTests : IAsyncLifetime
{
    private const int Before = 5;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("exclavectl-");
    private SocketServer _server = null!;

    private string Socket => Path.Combine(_folder.FullName, "log");

    public Task InitializeAsync()
    {
        _server = new SocketServer(Socket, _ => new GuardedService<ILog, LogDispatcher<ILog>>(new GrowingLog()));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task WithoutFollowItEndsWithWhatWasThere()
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "exclavectl.dll"), "--connect", "unix:" + Socket, "log"])
        {
            RedirectStandardOutput = true,
        })!;
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        try
        {
            string[] lines = (await process.StandardOutput.ReadToEndAsync(limit.Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            await process.WaitForExitAsync(limit.Token);
            Assert.Equal(0, process.ExitCode);
            Assert.Equal(Enumerable.Range(1, Before).Select(i => $"information Hello: {i}"), lines.Select(line => line[(line.IndexOf(']', StringComparison.Ordinal) + 2)..]));
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>One record for each read, and two more come meanwhile.</summary>
    private sealed class GrowingLog : ILog
    {
        private ulong _newest = Before;

        public Status Read(ulong after, uint least, Span<byte> records, out int bytes, out ulong last, out ulong lost)
        {
            lost = 0;
            bytes = 0;
            last = Math.Min(after, _newest);
            if (after < _newest)
            {
                last++;
                byte[] text = Encoding.UTF8.GetBytes($"{last}");
                LogEntry entry = new() { Sequence = last, Level = LogSeverity.Information, NameBytes = 5, TextBytes = (ushort)text.Length };
                bytes = LogEntry.SizeOf(entry.NameBytes, entry.TextBytes);
                MemoryMarshal.Write(records, in entry);
                "Hello"u8.CopyTo(records[LogEntry.Bytes..]);
                text.CopyTo(records[(LogEntry.Bytes + entry.NameBytes)..]);
                _newest += 2;
            }

            return Status.Ok;
        }
    }
}
