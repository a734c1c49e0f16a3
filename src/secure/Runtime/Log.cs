using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>Records for LogServer; in a system without one, lines of the console.</summary>
public static class Log
{
    /// <param name="text">At most <see cref="LogText.MaxBytes"/> bytes. It is public but for what <see cref="LogText.PrivateStart"/> and its end enclose: what is secret belongs in neither.</param>
    /// <remarks>For whoever serves a message, too: what lies in the thread's page stays as it is.</remarks>
    public static void Write(LogSeverity level, scoped ReadOnlySpan<byte> text)
    {
        text = text.Slice(0, Math.Min(text.Length, LogText.MaxBytes));
        IpcPage page = IpcPage.Own;
        MessageHeader kept = page.Header;
        Span<byte> body = page.Body.Slice(0, text.Length);
        LogPlace place = default;
        Span<byte> aside = ((Span<byte>)place).Slice(0, text.Length);
        body.CopyTo(aside);

        text.CopyTo(body);
        ref MessageHeader header = ref page.Header;
        header.Label = MessageLabel.Log;
        header.Length = (uint)text.Length;
        header.Capability = 0;
        header.Word0 = (ulong)level;
        header.Word1 = ReadCounter();
        Status status = SecureCalls.Send(ComponentEntry.LogSlot);
        aside.CopyTo(body);
        page.Header = kept;
        if (status == Status.BadCapability)
        {
            _ = SecureCalls.Log(text.Slice(0, Math.Min(text.Length, SecureCalls.MaxLogBytes)));
        }
    }

    [RuntimeImport("*", "runtime_counter")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong ReadCounter();

    [InlineArray(LogText.MaxBytes)]
    private struct LogPlace
    {
        private byte _first;
    }
}
