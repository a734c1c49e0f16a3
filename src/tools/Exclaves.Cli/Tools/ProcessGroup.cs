using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Exclaves.Cli.Tools;

/// <summary>A program in a session and process group of its own that cannot outlive this tool.</summary>
/// <remarks>
/// Disposal kills the whole group. Should this tool itself be killed, the kernel kills the program: the parent-death signal
/// is bound to the thread that forked, so that a thread of its own starts the program and stays until its end.
/// </remarks>
public sealed class ProcessGroup : IDisposable
{
    private const int SigKill = 9;

    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProcessGroup(ProcessStartInfo start)
    {
        new Thread(() => Own(start)) { IsBackground = true, Name = start.FileName }.Start();
    }

    public Process Process => _started.Task.Result;

    /// <summary>The exit status, when it has ended.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>Starts <paramref name="name"/> with all three streams redirected.</summary>
    public static ProcessGroup Start(string name, IEnumerable<string> arguments)
    {
        // Without the program, "setsid" would be what is reported to fail: then it is started directly, to be reported itself.
        string? path = Tool.Find(name);
        ProcessStartInfo start = new(path == null ? name : "setsid", path == null ? arguments : ["setpriv", "--pdeathsig", "KILL", "--", path, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        ProcessGroup group = new(start);
        try
        {
            group._started.Task.GetAwaiter().GetResult();
        }
        catch
        {
            group.Dispose();
            throw;
        }

        return group;
    }

    public void Kill()
    {
        if (_started.Task.IsCompletedSuccessfully && !_ended.Task.IsCompleted)
        {
            // Until setsid has run there is no group yet, only the process.
            if (SendSignal(-Process.Id, SigKill) != 0)
            {
                _ = SendSignal(Process.Id, SigKill);
            }
        }
    }

    public void Dispose()
    {
        Kill();
        if (_started.Task.IsCompletedSuccessfully)
        {
            _ended.Task.Wait(TimeSpan.FromSeconds(10));
            Process.Dispose();
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);

    private void Own(ProcessStartInfo start)
    {
        try
        {
            Process process = Tool.Start(start);
            _started.SetResult(process);
            process.WaitForExit();
            _ended.SetResult(process.ExitCode);
        }
        catch (ExclaveException error)
        {
            _started.SetException(error);
            _ended.SetResult(ExitCode.MissingTool);
        }
    }
}
