using System;
using System.IO;

namespace Exclaves.Cli.Machine;

/// <summary>The folder of one run: out/run, or out/run.2 and so on while another machine uses it.</summary>
public sealed class RunFolder : IDisposable
{
    private const int MaxMachines = 16;

    private readonly FileStream _lock;

    private RunFolder(string path, FileStream heldLock)
    {
        Path = path;
        _lock = heldLock;
    }

    public string Path { get; }

    public string Image => System.IO.Path.Combine(Path, "exclaves.Image");

    public string Initramfs => System.IO.Path.Combine(Path, "initramfs.cpio");

    /// <summary>The panic of this run; not there when there was none.</summary>
    public string Panic => System.IO.Path.Combine(Path, "panic.json");

    /// <summary>The last end of a component alone; not there when there was none.</summary>
    public string Crash => System.IO.Path.Combine(Path, "crash.json");

    public string ConsoleLog => System.IO.Path.Combine(Path, "console.log");

    public static RunFolder Take(Workspace workspace)
    {
        for (int number = 1; number <= MaxMachines; number++)
        {
            string path = number == 1 ? workspace.Run : $"{workspace.Run}.{number}";
            Directory.CreateDirectory(path);
            string lockPath = System.IO.Path.Combine(path, "lock");
            try
            {
                // FileShare.None takes an advisory lock, which ends with the process.
                return new RunFolder(path, new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None));
            }
            catch (IOException error) when (File.Exists(lockPath) && !DiskErrors.IsFull(error))
            {
            }
        }

        throw new ExclaveException($"{MaxMachines} machines are running already, each in a folder {workspace.Run}.N.");
    }

    public void Dispose() => _lock.Dispose();
}
