using System;
using System.Runtime.InteropServices;
using Exclaves.ExclaveKit;

namespace Exclaves.Kit;

/// <summary>The conclave's own endpoint, reached through ExclaveKit.</summary>
public sealed unsafe partial class ConclavePort : IMessagePort
{
    public int Receive(Span<byte> message) => Exchange(PersonalityCall.Receive, message);

    public int ReplyReceive(Span<byte> message) => Exchange(PersonalityCall.ReplyReceive, message);

    private static int Exchange(ulong call, Span<byte> message)
    {
        // SAFETY: the span is pinned for the length of the call, and ExclaveKit writes no more than the length given.
        fixed (byte* start = message)
        {
            nint result = SystemCall((nint)call, start, message.Length);
            if (result < 0)
            {
                throw new InvalidOperationException($"ExclaveKit refused to exchange a message: error {Marshal.GetLastPInvokeError()}.");
            }

            return (int)result;
        }
    }

    // Never SuppressGCTransition: this thread waits here while others collect.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, byte* buffer, nint bytes);
}
