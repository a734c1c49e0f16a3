using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Runtime;
using Exclaves.Tightbeam;

namespace Exclaves.Probe;

/// <summary>Calls of other components by the generated client, from within a call: each ends as it must, and the message being served is the same after it.</summary>
internal ref struct PeerCalls
{
    private const uint Empty = 20;
    private const int PageBytes = MessageHeader.Bytes + MessageHeader.MaxBodyBytes;
    private const int Words = 128;
    private const int Room = 1088;
    private const ushort NoOperation = 99;
    private const ulong Filling = 0x5EA1_0000_0000_0000;

    private readonly IpcPage _page;

    /// <summary>What the page must hold.</summary>
    private readonly Span<byte> _kept;
    private readonly Span<byte> _room;
    private ulong _calls;
    private ulong _wrong;
    private Status _came;
    private Status _due;

    private PeerCalls(IpcPage page, Span<byte> kept, Span<byte> room)
    {
        _page = page;
        _kept = kept;
        _room = room;
        _calls = 0;
        _wrong = 0;
        _came = Status.Ok;
        _due = Status.Ok;
        Header.CopyTo(kept);
        page.Body.CopyTo(kept.Slice(MessageHeader.Bytes));
    }

    private readonly ReadOnlySpan<byte> Header => MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref _page.Header, 1));

    public static void Run(ref ServiceMessage message)
    {
        IpcPage page = IpcPage.Own;

        // A body that is in use to its end, as that of a service which has half an answer there.
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(page.Body.Slice(Unsafe.SizeOf<ServiceMessage>()));
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Filling + (ulong)i;
        }

        PeerCalls calls = new(page, stackalloc byte[PageBytes], stackalloc byte[Room]);
        calls.Answered(message.P0.A, message.P0.B, words);
        calls.Refused(words);
        calls.Nonsense();
        calls.Died();
        message.P1.A = calls._calls;
        message.P1.B = calls._wrong;
        message.P2.A = (ulong)calls._came;
        message.P2.B = (ulong)calls._due;
    }

    private void Answered(ulong a, ulong b, scoped Span<ulong> words)
    {
        HelloClient<PeerTransport> hello = new(new PeerTransport(Capabilities.Hello, stackalloc byte[256]));
        Status status = hello.ReadVersion(out ushort version);
        Expect(Status.Ok, status, version == 1);
        status = hello.Echo(a, b, out ulong a2, out ulong b2);
        Expect(Status.Ok, status, a2 == a && b2 == b);
        status = hello.Sum(1, 2, a, b, "data"u8, out ulong sum);
        Expect(Status.Ok, status, sum == 3 + a + b + 4);

        // Out of the message that is being served, and into it.
        hello = new(new PeerTransport(Capabilities.Hello, _room));
        Span<ulong> input = words.Slice(0, Words);
        Span<ulong> output = stackalloc ulong[Words];
        status = hello.Transform(input, output);
        bool isRight = true;
        for (int i = 0; i < Words; i++)
        {
            isRight &= output[i] == HelloTransform.Word(Filling + (ulong)i, i);
        }

        Expect(Status.Ok, status, isRight);
        MemoryMarshal.AsBytes(output).CopyTo(_kept.Slice(MessageHeader.Bytes + Unsafe.SizeOf<ServiceMessage>() + (Words * sizeof(ulong))));
        status = hello.Transform(input, words.Slice(Words, Words));
        Expect(Status.Ok, status, true);
    }

    private void Refused(scoped Span<ulong> words)
    {
        HelloClient<PeerTransport> hello = new(new PeerTransport(Capabilities.Hello, _room));
        Expect(Status.BadArgument, hello.Transform(words.Slice(0, 2), words.Slice(2, 1)), true);
        Attachments none = default;
        Expect(Status.BadCall, Ask(Capabilities.Hello, _room, HelloWire.Id, NoOperation, ref none), true);
        Expect(Status.NotFound, Ask(Capabilities.Hello, _room, HelloWire.Id + 1, 1, ref none), true);
        Expect(Status.BadCapability, Ask(Empty, _room, HelloWire.Id, 1, ref none), true);
        Expect(Status.BadCapability, Ask(Capabilities.Untyped, _room, HelloWire.Id, 1, ref none), true);
        Expect(Status.Denied, Ask(ComponentEntry.LogSlot, _room, HelloWire.Id, 1, ref none), true);
        Attachments capability = new() { CapabilitySlot = Capabilities.Hello };
        Expect(Status.BadArgument, Ask(Capabilities.Hello, _room, HelloWire.Id, 1, ref capability), true);
        Attachments buffer = default;
        _ = buffer.Add(new SharedBuffer(0, 0, default), SharedAccess.Read);
        Expect(Status.BadArgument, Ask(Capabilities.Hello, _room, HelloWire.Id, 1, ref buffer), true);

        // Room for a header: enough to ask for the version; too little for a request with values, and for the answer that has room for a text.
        Span<byte> small = _room.Slice(0, WireHeader.Bytes);
        hello = new(new PeerTransport(Capabilities.Hello, small));
        Expect(Status.Ok, hello.ReadVersion(out _), true);
        Expect(Status.TooBig, hello.Echo(1, 2, out _, out _), true);
        Expect(Status.TooBig, Ask(Capabilities.Hello, small, HelloWire.Id, NoOperation, ref none), true);
    }

    /// <summary>Echo answers with the request, which is no answer.</summary>
    private void Nonsense()
    {
        HelloClient<PeerTransport> hello = new(new PeerTransport(Capabilities.Echo, _room));
        Expect(Status.BadReply, hello.ReadVersion(out _), true);
        Status status = hello.Echo(1, 2, out ulong a, out ulong b);
        Expect(Status.BadReply, status, (a | b) == 0 && hello.FailureText.IsEmpty);

        // Nor is nothing.
        PeerTransport transport = new(Capabilities.Echo, _room);
        Attachments none = default;
        status = transport.Call(0, ref none);
        Expect(Status.Ok, status, transport.Response.IsEmpty);
    }

    /// <summary>While it has the message, and before.</summary>
    private void Died()
    {
        PeerTransport transport = new(Capabilities.Echo, _room);
        Attachments none = default;
        Echo.End.CopyTo(transport.Request);
        Expect(Status.PeerDied, transport.Call(Echo.End.Length, ref none), transport.Response.IsEmpty);
        Expect(Status.PeerDied, transport.Call(Echo.End.Length, ref none), transport.Response.IsEmpty);
    }

    /// <summary>A header alone as the request.</summary>
    private static Status Ask(uint slot, Span<byte> room, uint interfaceId, ushort operation, scoped ref Attachments attachments)
    {
        PeerTransport transport = new(slot, room);
        Status status = WireWriter.Request(transport.Request, interfaceId, 1, operation).Finish(out int bytes);
        status = status == Status.Ok ? transport.Call(bytes, ref attachments) : status;
        status = status == Status.Ok ? WireHeader.DecodeResponse(transport.Response, HelloWire.Id, operation, out WireHeader header) == Status.Ok ? header.Status : Status.BadReply : status;
        return status;
    }

    private void Expect(Status due, Status came, bool isRight)
    {
        _calls++;
        isRight &= Header.SequenceEqual(_kept.Slice(0, MessageHeader.Bytes)) && _page.Body.SequenceEqual(_kept.Slice(MessageHeader.Bytes));
        if (_wrong == 0 && (came != due || !isRight))
        {
            _wrong = _calls;
            _came = came;
            _due = due;
        }
    }
}
