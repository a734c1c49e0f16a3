using System.Runtime.InteropServices;
using System.Text;

namespace Exclaves.Kit;

/// <summary>The conclave's lines in the log of the secure world. Whoever reads Linux's console reads them: no secrets.</summary>
public static unsafe partial class ConclaveLog
{
    private const int StandardError = 2;

    public static void Write(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line + "\n");

        // SAFETY: the array is pinned for the length of the call, which reads no more than its length.
        fixed (byte* start = bytes)
        {
            _ = SystemWrite(StandardError, start, bytes.Length);
        }
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint SystemWrite(int descriptor, byte* bytes, nint count);
}
