using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>A thread's IPC page: the message received, then the message to send.</summary>
public readonly unsafe struct IpcPage
{
    private readonly ulong _address;

    private IpcPage(ulong address) => _address = address;

    /// <summary>Of a component's only thread: a constant, so that it costs nothing.</summary>
    public static IpcPage Only
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(UserLayout.IpcPage);
    }

    /// <summary>Of the thread that asks.</summary>
    public static IpcPage Own => new(OwnAddress());

    public bool IsFirst => _address == UserLayout.IpcPage;

    public ref MessageHeader Header
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: SK maps the page at this address before the thread's first instruction, for ever.
            return ref Unsafe.AsRef<MessageHeader>((void*)_address);
        }
    }

    public Span<byte> Body
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: as Header; the body is the rest of the page.
            return new Span<byte>((void*)(_address + MessageHeader.Bytes), MessageHeader.MaxBodyBytes);
        }
    }

    /// <summary>The body read as a service's message.</summary>
    public ref ServiceMessage Service => ref MemoryMarshal.AsRef<ServiceMessage>(Body);

    /// <summary>Turns the page into an answer of so many bytes of body.</summary>
    public void SetReply(Status status, uint length)
    {
        ref MessageHeader header = ref Header;
        header.Label = MessageLabel.Reply;
        header.Status = status;
        header.Length = length;
    }

    [RuntimeImport("*", "runtime_page")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong OwnAddress();
}
