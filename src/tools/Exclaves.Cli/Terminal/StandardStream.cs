using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Exclaves.Cli.Terminal;

/// <summary>A standard stream as bytes, written as a C program would.</summary>
/// <remarks>
/// The console's own stream hides that nobody reads any more, which must stop the machine; a file stream keeps an
/// offset of its own, which overwrites what others write to the same file.
/// </remarks>
public sealed class StandardStream : WriteOnlyStream
{
    private const int Interrupted = 4;
    private const int TryAgain = 11;

    private readonly int _descriptor;

    public StandardStream(int descriptor)
    {
        _descriptor = descriptor;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        byte[] rest = buffer.AsSpan(offset, count).ToArray();
        while (rest.Length > 0)
        {
            nint written = WriteDescriptor(_descriptor, rest, (nuint)rest.Length);
            int error = Marshal.GetLastPInvokeError();
            if (written >= 0)
            {
                rest = rest[(int)written..];
            }
            else if (error == TryAgain)
            {
                System.Threading.Thread.Sleep(1);
            }
            else if (error != Interrupted)
            {
                throw new IOException($"Cannot write to standard {(_descriptor == 1 ? "output" : "error")}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
            }
        }
    }

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    private static extern nint WriteDescriptor(int descriptor, byte[] bytes, nuint count);
}
