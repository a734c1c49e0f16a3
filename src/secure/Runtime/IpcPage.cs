using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>The thread's IPC page: the message received, then the message to send.</summary>
public static unsafe class IpcPage
{
    public static ref MessageHeader Header
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: SK maps the page at this address before the component's first instruction, for ever.
            return ref Unsafe.AsRef<MessageHeader>((void*)UserLayout.IpcPage);
        }
    }

    public static Span<byte> Body
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: as Header; the body is the rest of the page.
            return new Span<byte>((void*)(UserLayout.IpcPage + MessageHeader.Bytes), MessageHeader.MaxBodyBytes);
        }
    }

    /// <summary>The body read as a service's message.</summary>
    public static ref ServiceMessage Service => ref MemoryMarshal.AsRef<ServiceMessage>(Body);

    /// <summary>Turns the page into an answer of so many bytes of body.</summary>
    public static void SetReply(Status status, uint length)
    {
        ref MessageHeader header = ref Header;
        header.Label = MessageLabel.Reply;
        header.Status = status;
        header.Length = length;
    }
}
