using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Cli.Tools;

namespace Exclaves.Cli.Machine;

/// <summary>One run of the machine with one command: boots, passes the command's streams on, ends within a time limit.</summary>
/// <remarks>Whatever happens, QEMU is gone when <see cref="Run"/> returns.</remarks>
public sealed class GuestRun
{
    /// <summary>After a panic the console may still have something to say.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    /// <summary>From the verdict to the end of QEMU.</summary>
    private static readonly TimeSpan PowerOff = TimeSpan.FromSeconds(10);

    private readonly MachineSpec _spec;
    private readonly string _image;
    private readonly string _marker;
    private readonly string _consoleLog;
    private readonly ConsoleWatch _watch = new();
    private readonly Stopwatch _clock = new();
    private readonly TaskCompletionSource _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _trouble = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GuestRun(MachineSpec spec, string image, string marker, string consoleLog)
    {
        _spec = spec;
        _image = image;
        _marker = marker;
        _consoleLog = consoleLog;
    }

    /// <summary>From QEMU's start to the command.</summary>
    public TimeSpan BootLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From the command's start to its end.</summary>
    public TimeSpan CommandLimit { get; init; } = TimeSpan.FromSeconds(300);

    public static string MakeMarker() => Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    /// <summary>Boots and runs. The command's bytes go to the two streams as they come.</summary>
    public async Task<GuestOutcome> Run(Stream output, Stream errors, CancellationToken cancel)
    {
        // A socket's path must be short: not in the repository, which may lie deep.
        DirectoryInfo sockets = Directory.CreateTempSubdirectory("exclave-");
        try
        {
            string outputPath = Path.Combine(sockets.FullName, "out");
            string errorPath = Path.Combine(sockets.FullName, "err");
            using Socket outputListener = Listen(outputPath);
            using Socket errorListener = Listen(errorPath);
            Directory.CreateDirectory(Path.GetDirectoryName(_consoleLog)!);
            await using FileStream log = new(_consoleLog, FileMode.Create, FileAccess.Write, FileShare.Read);

            _clock.Start();
            using ProcessGroup qemu = ProcessGroup.Start(QemuCommandLine.Program, QemuCommandLine.ForRun(_spec, _image, outputPath, errorPath));
            qemu.Process.StandardInput.Close();
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            Task<string> complaints = qemu.Process.StandardError.ReadToEndAsync(CancellationToken.None);
            Task console = PumpConsole(qemu.Process.StandardOutput.BaseStream, log);
            Task<string?> verdict = PumpPort(outputListener, output, qemu.Ended, stop.Token);
            Task<string?> errorEnd = PumpPort(errorListener, errors, qemu.Ended, stop.Token);

            GuestOutcome outcome = await Judge(qemu, complaints, console, verdict, errorEnd, cancel);
            qemu.Kill();
            await qemu.Ended;
            await stop.CancelAsync();
            await Finish(console);
            await Finish(verdict);
            await Finish(errorEnd);
            cancel.ThrowIfCancellationRequested();
            await log.WriteAsync(Encoding.UTF8.GetBytes($"\nexclave: {_watch.FormatStages()}\n"), CancellationToken.None);
            return outcome;
        }
        finally
        {
            sockets.Delete(recursive: true);
        }
    }

    private static Socket Listen(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(1);
        return socket;
    }

    /// <summary>Waits for the end of a pump that was told to stop; what it fails with has been judged before.</summary>
    private static async Task Finish(Task pump)
    {
        await ((Task)Task.WhenAny(pump, Task.Delay(PowerOff))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<GuestOutcome> Judge(
        ProcessGroup qemu, Task<string> complaints, Task console, Task<string?> verdict, Task<string?> errorEnd, CancellationToken cancel)
    {
        Task bootLimit = Task.Delay(BootLimit, cancel);
        Task first = await Task.WhenAny(qemu.Ended, console, verdict, _trouble.Task, _isReady.Task, bootLimit);
        if (first == bootLimit)
        {
            return Fail($"The guest did not boot within {Text(BootLimit)}; its last line: {_watch.LastLine}", ExitCode.TimeLimit);
        }

        Task commandLimit = Task.Delay(CommandLimit, cancel);
        if (first == _isReady.Task)
        {
            first = await Task.WhenAny(qemu.Ended, console, verdict, _trouble.Task, commandLimit);
        }

        if (first == commandLimit)
        {
            return Fail($"The command did not end within {Text(CommandLimit)} (option --timeout).", ExitCode.TimeLimit);
        }

        if (first == _trouble.Task)
        {
            await Task.WhenAny(qemu.Ended, Task.Delay(LastWords, cancel));
            return Fail(Sentence(_trouble.Task.Result), ExitCode.Machine);
        }

        // The console's end is QEMU's end, unless the log could not be written: then that is the error.
        if (first == console && console.IsFaulted)
        {
            await console;
        }

        // QEMU's end closes the ports, which may still hold what came before.
        string? said = await verdict;
        await errorEnd;
        if (said == null)
        {
            int status = await qemu.Ended;
            await console;
            return Fail(_trouble.Task.IsCompleted ? Sentence(_trouble.Task.Result) : DescribeEnd(status, await complaints), ExitCode.Machine);
        }

        await Task.WhenAny(qemu.Ended, Task.Delay(PowerOff, cancel));
        return ReadVerdict(said);
    }

    private GuestOutcome ReadVerdict(string said)
    {
        string[] words = said.Split(' ', 2);
        return words switch
        {
            ["exit", string number] when int.TryParse(number, CultureInfo.InvariantCulture, out int status) => new GuestOutcome(status, null, 0, _watch, _consoleLog),
            ["failed", string why] => Fail($"The guest is up, but {why}.", ExitCode.Machine),
            _ => Fail($"The guest's /init said something unknown: {said}", ExitCode.Machine),
        };
    }

    private string DescribeEnd(int status, string complaints)
    {
        string said = complaints.Trim().Split('\n')[0];
        return (_watch.Stages.Count, said.Length) switch
        {
            (0, 0) => $"QEMU ended with status {status} before the guest said anything.",
            (0, _) => $"QEMU will not start: {said}",
            (_, 0) => $"The machine stopped before the command ended (QEMU's status {status}); its last line: {_watch.LastLine}",
            _ => $"QEMU ended with status {status}: {said}",
        };
    }

    private GuestOutcome Fail(string why, int code) => new(null, $"{why} Console log: {_consoleLog}", code, _watch, _consoleLog);

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..] + (text.EndsWith('.') ? "" : ".");

    private static string Text(TimeSpan span) => span.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture) + " s";

    private async Task PumpConsole(Stream console, FileStream log)
    {
        byte[] buffer = new byte[16384];
        StringBuilder line = new();
        int count;
        while ((count = await console.ReadAsync(buffer)) > 0)
        {
            await log.WriteAsync(buffer.AsMemory(0, count));
            await log.FlushAsync();
            foreach (char letter in Encoding.Latin1.GetString(buffer, 0, count))
            {
                if (letter != '\n')
                {
                    line.Append(letter);
                    continue;
                }

                TakeLine(line.ToString());
                line.Clear();
            }
        }

        TakeLine(line.ToString());
    }

    private void TakeLine(string line)
    {
        _watch.Take(line, _clock.Elapsed);
        if (_watch.IsReady)
        {
            _isReady.TrySetResult();
        }

        if (_watch.Trouble is { } trouble && !_spec.HasCrashKernel)
        {
            _trouble.TrySetResult(trouble);
        }
    }

    /// <summary>Passes the command's bytes on; answers the verdict, or null when the port closes without one.</summary>
    private async Task<string?> PumpPort(Socket listener, Stream target, Task qemuEnded, CancellationToken stop)
    {
        // A QEMU that refuses its arguments never connects; one that has ended may have connected and written before. A connection of our own, closed at once,
        // stands in line behind QEMU's or is the first one.
        Task<Socket> accept = listener.AcceptAsync(stop).AsTask();
        if (await Task.WhenAny(accept, qemuEnded) != accept)
        {
            using Socket last = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await last.ConnectAsync(listener.LocalEndPoint!, stop);
        }

        using Socket port = await accept;
        GuestStream stream = new(_marker);
        byte[] buffer = new byte[65536];
        while (stream.Verdict == null)
        {
            int count = await port.ReceiveAsync(buffer, stop);
            byte[] own = count > 0 ? stream.Take(buffer.AsSpan(0, count)) : stream.TakeRest();
            await target.WriteAsync(own, stop);
            await target.FlushAsync(stop);
            if (count == 0)
            {
                return null;
            }
        }

        // The guest waits for this before it switches the machine off.
        try
        {
            await port.SendAsync("ok\n"u8.ToArray(), stop);
        }
        catch (SocketException)
        {
            // It has gone already, which is what this asks for.
        }

        return stream.Verdict;
    }
}
