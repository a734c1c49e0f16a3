using System.Diagnostics;

namespace Exclaves.Guest;

/// <summary>Starts this same executable again.</summary>
internal static class Self
{
    public static Process Start(bool captureOutput, params string[] arguments)
    {
        ProcessStartInfo info = new("/proc/self/exe", arguments) { UseShellExecute = false, RedirectStandardOutput = captureOutput };
        return Process.Start(info)!;
    }
}
