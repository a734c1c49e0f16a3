using System;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.ExclaveKit;

namespace Exclaves.Kit;

/// <summary>The conclave's records in the log of the secure world, which `exclavectl log` shows on Linux: no secrets. Under development they are lines of standard error.</summary>
public static unsafe partial class ConclaveLog
{
    /// <summary>All of it private: in the log of a production image stands a word in its place.</summary>
    public static void Write(string line) => Write(LogSeverity.Information, new LogMessage().Private(line));

    public static void Write(LogSeverity level, LogMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        string text = message.ToString();
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length == 0)
        {
            return;
        }

        if (ServiceHost.Development is null)
        {
            // SAFETY: the array is pinned for the length of the call, which reads no more than its length.
            fixed (byte* start = bytes)
            {
                if (SystemCall((nint)PersonalityCall.Log, start, bytes.Length, (nint)level) >= 0)
                {
                    return;
                }
            }
        }

        Console.Error.WriteLine($"{level}: {text.Replace(((char)LogText.PrivateStart).ToString(), "", StringComparison.Ordinal).Replace(((char)LogText.PrivateEnd).ToString(), "", StringComparison.Ordinal)}");
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, byte* text, nint bytes, nint level);
}
