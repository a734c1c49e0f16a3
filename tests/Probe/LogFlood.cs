using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>What a hostile component does to the log.</summary>
internal static class LogFlood
{
    /// <summary>Records as fast as they go, each with another's name and commands for a terminal in its text.</summary>
    /// <param name="unrefused">Attempts to read, to open a session, to write nonsense, that were not refused.</param>
    public static ulong Run(IpcPage page, ulong count, out ulong unrefused)
    {
        ReadOnlySpan<byte> forged = "\u001b[2J\nHello: \u009b31mforged\u202e \u000f"u8;
        ulong taken = 0;
        for (ulong i = 0; i < count; i++)
        {
            forged.CopyTo(page.Body);
            Prepare(page, MessageLabel.Log, (uint)forged.Length, (ulong)LogSeverity.Critical);
            taken += SecureCalls.Send(ComponentEntry.LogSlot) == Status.Ok ? 1ul : 0;
        }

        unrefused = 0;
        uint message = (uint)Unsafe.SizeOf<ServiceMessage>();
        Expect(page, MessageLabel.Open, message, 0, Status.Denied, ref unrefused);
        Expect(page, MessageLabel.Invoke, message, 0, Status.Denied, ref unrefused);
        Expect(page, MessageLabel.Close, message, 0, Status.Denied, ref unrefused);
        Expect(page, MessageLabel.Reply, 0, 0, Status.Denied, ref unrefused);
        Expect(page, MessageLabel.Log, 0, (ulong)LogSeverity.Error, Status.BadArgument, ref unrefused);
        Expect(page, MessageLabel.Log, 8, (ulong)LogSeverity.None, Status.BadArgument, ref unrefused);
        Expect(page, MessageLabel.Log, 8, ulong.MaxValue, Status.BadArgument, ref unrefused);
        return taken;
    }

    private static void Expect(IpcPage page, MessageLabel label, uint length, ulong word, Status due, ref ulong unrefused)
    {
        page.Body.Clear();
        Prepare(page, label, length, word);
        Status status = SecureCalls.CallEndpoint(ComponentEntry.LogSlot);
        status = status == Status.Ok ? page.Header.Status : status;
        unrefused += status != due ? 1ul : 0;
    }

    private static void Prepare(IpcPage page, MessageLabel label, uint length, ulong word)
    {
        ref MessageHeader header = ref page.Header;
        header.Label = label;
        header.Length = length;
        header.Capability = 0;
        header.Word0 = word;
        header.Word1 = ulong.MaxValue;
    }
}
