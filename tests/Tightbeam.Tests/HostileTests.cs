using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Tightbeam.Sample;
using Xunit;

namespace Exclaves.Tightbeam.Tests;

/// <summary>Whatever comes, a decoder answers with a status: no exception, no read beyond the message.</summary>
public class HostileTests
{
    private const int HeaderBytes = WireHeader.Bytes;

    /// <summary>One valid call of each operation.</summary>
    private static readonly Action<Loop>[] Calls =
    [
        l => l.Client.Integers(1, 2, 3, 4, 5, 6, 7, 8, true, out _, out _, out _, out _, out _, out _, out _, out _, out _),
        l => l.Client.Structures(new Segment(new Point(1, 2, Colour.Red), new Point(3, 4, Colour.Violet), 5, true), Colour.Green, Rights.Own, out _, out _, out _),
        l => l.Client.Structures(new Segment(default, null, 5, false), Colour.Infrared, Rights.None, out _, out _, out _),
        l => l.Client.Optionals(1, Colour.Red, new Segment(default, null, 1, false), true, out _, out _, out _, out _),
        l => l.Client.Optionals(null, null, null, null, out _, out _, out _, out _),
        l => l.Client.Spans([1, 2, 3], [4, 5], [6], new byte[2], out _, new ulong[8], out _, new short[9], out _),
        l => l.Client.Text("Zoë"u8, new byte[48], out _),
        l => l.Client.Fill(7, new byte[33]),
        l => l.Client.Shout(8, out _),
        l => l.Client.Shout(0, out _),
        l => l.Client.Shout(2000, out _),
        l => l.Client.Exchange(default, out _),
        l => l.Client.Four(1, 2, 3, 4, new byte[256], out _),
        l => l.Client.@event(1, out _),
        l => l.Client.Misbehave(7, new byte[9], out _, out _),
        l => l.Client.ReadVersion(out _),
    ];

    private static IEnumerable<(byte[] Request, byte[] Response, Action<Loop> Call)> Messages()
    {
        foreach (Action<Loop> call in Calls)
        {
            Loop loop = new() { Record = true };
            call(loop);
            yield return (loop.Sent, loop.Answered, call);
        }
    }

    [Fact]
    public void EveryTruncationOfARequestIsRefused()
    {
        Loop loop = new();
        foreach ((byte[] request, _, _) in Messages())
        {
            for (int length = 0; length < request.Length; length++)
            {
                AssertRefused(loop.Serve(request.AsSpan(0, length)));

                // With a length that fits, so that the body is looked at.
                if (length >= HeaderBytes)
                {
                    byte[] cut = request[..length];
                    BinaryPrimitives.WriteInt32LittleEndian(cut.AsSpan(12), length);
                    AssertRefused(loop.Serve(cut));
                }
            }

            byte[] longer = [.. request, 0];
            AssertRefused(loop.Serve(longer));
            BinaryPrimitives.WriteInt32LittleEndian(longer.AsSpan(12), longer.Length);
            AssertRefused(loop.Serve(longer));
        }

        Assert.Equal(0, loop.Service.Calls);
    }

    [Fact]
    public void EveryTruncationOfAnAnswerIsABadReply()
    {
        foreach ((_, byte[] response, Action<Loop> call) in Messages())
        {
            int text = response[16] != 0 || response[20] != 0 ? HeaderBytes : -1;
            for (int length = 0; length < response.Length + 2; length++)
            {
                if (length == response.Length)
                {
                    continue;
                }

                AssertBadReply(call, _ => Resize(response, length, fix: false));

                // A failure may come without a text.
                if (length >= HeaderBytes && length != text)
                {
                    AssertBadReply(call, _ => Resize(response, length, fix: true));
                }
            }
        }
    }

    [Fact]
    public void EveryBitOfARequestMayChange()
    {
        Loop loop = new();
        foreach ((byte[] request, _, _) in Messages())
        {
            for (int bit = 0; bit < request.Length * 8; bit++)
            {
                byte[] changed = [.. request];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                byte[] answer = loop.Serve(changed);
                AssertWellFormed(answer);

                // Nothing in the header is free but the version and the operation.
                if (bit / 8 is not ((>= 8 and < 12) or >= HeaderBytes))
                {
                    AssertRefused(answer);
                }
            }
        }

        Assert.DoesNotContain(loop.Reported, e => e is not (KeyNotFoundException or InvalidOperationException or NotImplementedException));
    }

    [Fact]
    public void EveryBitOfAnAnswerMayChange()
    {
        foreach ((_, byte[] response, Action<Loop> call) in Messages())
        {
            for (int bit = 0; bit < response.Length * 8; bit++)
            {
                byte[] changed = [.. response];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                Loop loop = new() { Tamper = _ => changed };
                call(loop);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomBytesAreAnswered(int seed)
    {
        Loop loop = new();
        Random random = new(seed);
        byte[] bytes = new byte[512];
        byte[][] valid = [.. Messages().Select(m => m.Request)];
        int reached = 0;
        for (int i = 0; i < 400_000; i++)
        {
            int length = random.Next(bytes.Length);
            Span<byte> message = bytes.AsSpan(0, length);
            random.NextBytes(message);
            if (i % 8 != 0 && length >= HeaderBytes)
            {
                // A right header before random contents: otherwise no body would ever be read.
                valid[random.Next(valid.Length)].AsSpan(0, HeaderBytes).CopyTo(message);
                BinaryPrimitives.WriteInt32LittleEndian(message[12..], length);
            }

            AssertWellFormed(loop.Serve(message));
        }

        for (int i = 0; i < 400_000; i++)
        {
            // A valid message with a few random bytes.
            byte[] request = valid[random.Next(valid.Length)];
            request.CopyTo(bytes, 0);
            for (int k = random.Next(4); k >= 0; k--)
            {
                bytes[random.Next(request.Length)] = (byte)random.Next(256);
            }

            int before = loop.Service.Calls;
            AssertWellFormed(loop.Serve(bytes.AsSpan(0, request.Length)));
            reached += loop.Service.Calls - before;
        }

        Assert.InRange(reached, 8_000, 390_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomAnswersAreAStatus(int seed)
    {
        Random random = new(seed);
        (byte[] Request, byte[] Response, Action<Loop> Call)[] all = [.. Messages()];
        byte[] current = [];
        Loop loop = new() { Tamper = _ => current };
        for (int i = 0; i < 300_000; i++)
        {
            (_, byte[] response, Action<Loop> call) = all[random.Next(all.Length)];
            if (i % 2 == 0)
            {
                current = new byte[random.Next(400)];
                random.NextBytes(current);
                if (i % 4 == 0 && current.Length >= HeaderBytes)
                {
                    response.AsSpan(0, HeaderBytes).CopyTo(current);
                    BinaryPrimitives.WriteInt32LittleEndian(current.AsSpan(12), current.Length);
                }
            }
            else
            {
                current = [.. response];
                for (int k = random.Next(4); k >= 0; k--)
                {
                    current[random.Next(current.Length)] = (byte)random.Next(256);
                }
            }

            call(loop);
        }
    }

    [Fact]
    public void ABadAnswerLeavesTheCallersValuesAlone()
    {
        byte[] buffer = [9, 9, 9];
        Loop loop = new() { Tamper = a => [.. a[..^1]] };
        Assert.Equal(Status.BadReply, loop.Client.Fill(1, buffer));
        Assert.Equal([9, 9, 9], buffer);
    }

    [Fact]
    public void AnAnswerOfAnotherOperationIsABadReply()
    {
        Loop other = new() { Record = true };
        Assert.Equal(Status.Ok, other.Client.@event(1, out _));
        Loop loop = new() { Tamper = _ => other.Answered };
        Assert.Equal(Status.BadReply, loop.Client.Shout(8, out _).Status);
    }

    /// <summary>Values that have the right size and are none: place in the request's body, byte, and what it is.</summary>
    [Theory]
    [InlineData(0, 30, 2, "a boolean of 2")]
    [InlineData(1, 8, 3, "an enum between its members")]
    [InlineData(1, 10, 2, "a presence of 2")]
    [InlineData(2, 11, 1, "contents of an optional that is not there")]
    [InlineData(5, 3, 1, "room for more than the bound")]
    [InlineData(5, 12, 65, "a span beyond its bound")]
    [InlineData(5, 23, 1, "padding that is not zero")]
    [InlineData(6, 8, 0xFF, "text that is not UTF-8")]
    [InlineData(11, 0, 1, "a capability that did not come")]
    public void AValueThatIsNoneIsRefused(int message, int at, byte value, string what)
    {
        byte[] request = [.. Messages().ElementAt(message).Request];
        Assert.True(request[HeaderBytes + at] != value, what);
        request[HeaderBytes + at] = value;
        Loop loop = new();
        Assert.Equal(Status.BadArgument, AssertRefused(loop.Serve(request)));
        Assert.Equal(0, loop.Service.Calls);
    }

    [Fact]
    public void AnOperationNeedsTheVersionThatHasItFirst()
    {
        Loop loop = new() { Record = true };
        Assert.Equal(Status.Ok, loop.Client.Exchange(default, out _));
        byte[] request = [.. loop.Sent];
        request[8] = 2;
        Assert.Equal(Status.BadCall, AssertRefused(loop.Serve(request)));
        request[8] = 0;
        Assert.Equal(Status.BadArgument, AssertRefused(loop.Serve(request)));

        // A caller newer than the service is served with what the service has; what it has not is no call of it.
        request[8] = 200;
        AssertWellFormed(loop.Serve(request));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(loop.Serve(request).AsSpan(16)));
        request[10] = 77;
        byte[] unknown = loop.Serve(request);
        Assert.Equal(Status.BadCall, AssertRefused(unknown));
        Assert.Equal(3, unknown[8]);

        request[4] ^= 1;
        Assert.Equal(Status.NotFound, AssertRefused(loop.Serve(request)));
    }

    [Fact]
    public void AttachmentsMustBeThoseOfTheOperation()
    {
        SampleService service = new();
        ISample sample = service;
        byte[] request = new byte[64];
        byte[] response = new byte[512];
        byte[] memory = new byte[16];
        SampleWireCopy(request, memory.Length, out int bytes);
        (SharedAccess First, SharedAccess Second, int Length, uint Capability)[] wrong =
        [
            (SharedAccess.None, SharedAccess.None, 16, 0),
            (SharedAccess.Read, SharedAccess.None, 16, 0),
            (SharedAccess.Write, SharedAccess.Read, 16, 0),
            (SharedAccess.Read, SharedAccess.Write, 15, 0),
            (SharedAccess.Read, SharedAccess.Write, 16, 5),
        ];
        foreach ((SharedAccess first, SharedAccess second, int length, uint capability) in wrong)
        {
            Assert.Equal(Status.BadArgument, Dispatch(first, second, length, capability));
        }

        Assert.Equal(Status.Ok, Dispatch(SharedAccess.Read, SharedAccess.Write, 16, 0));
        Assert.Equal(1, service.Calls);

        Status Dispatch(SharedAccess first, SharedAccess second, int length, uint capability)
        {
            Attachments attachments = default;
            attachments.CapabilitySlot = capability;
            if (first != SharedAccess.None)
            {
                _ = attachments.Add(new SharedBuffer(1, 0, memory.AsSpan(0, length)), first);
            }

            if (second != SharedAccess.None)
            {
                _ = attachments.Add(new SharedBuffer(2, 0, memory.AsSpan(0, length)), second);
            }

            int answered = SampleDispatcher<ISample>.Dispatch(ref sample, request.AsSpan(0, bytes), response, ref attachments);
            Assert.Equal(0u, attachments.CapabilitySlot);
            return (Status)BinaryPrimitives.ReadUInt32LittleEndian(response.AsSpan(0, answered)[16..]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(60)]
    public void ATooSmallAnswerBufferIsNotOverrun(int room)
    {
        ISample sample = new SampleService();
        byte[] response = new byte[room];
        foreach ((byte[] request, _, _) in Messages())
        {
            Attachments attachments = default;
            int bytes = 0;
            try
            {
                bytes = SampleDispatcher<ISample>.Dispatch(ref sample, request, response, ref attachments);
            }
            catch (TightbeamException)
            {
                // Of the service, not of the dispatcher.
            }

            Assert.InRange(bytes, 0, room);
            Assert.True(bytes == 0 ? room < HeaderBytes || request[10] is 7 or 12 : bytes >= HeaderBytes);
        }
    }

    private static void SampleWireCopy(Span<byte> request, int length, out int bytes) =>
        Assert.Equal(Status.Ok, SampleWire.EncodeCopy(request, length, length, out bytes));

    private static byte[] Resize(byte[] message, int length, bool fix)
    {
        byte[] result = new byte[length];
        message.AsSpan(0, Math.Min(length, message.Length)).CopyTo(result);
        if (fix)
        {
            BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(12), length);
        }

        return result;
    }

    private static void AssertBadReply(Action<Loop> call, Func<byte[], byte[]> tamper)
    {
        Loop loop = new() { Tamper = tamper };
        call(loop);
        byte[] answer = tamper([]);

        // The client's status is not kept by the call; decode once more what it saw, as whichever operation it was.
        ushort operation = BinaryPrimitives.ReadUInt16LittleEndian(loop.Sent.AsSpan(10));
        Assert.Equal(Status.BadReply, Decode(operation, answer));
    }

    private static Status Decode(ushort operation, byte[] answer) => operation switch
    {
        0 => answer.Length == HeaderBytes ? WireHeader.DecodeResponse(answer, SampleWire.Id, 0, out _) : Status.BadReply,
        1 => SampleWire.DecodeIntegers(answer, out _, out _, out _, out _, out _, out _, out _, out _, out _, out _),
        2 => SampleWire.DecodeStructures(answer, out _, out _, out _, out _),
        3 => SampleWire.DecodeOptionals(answer, out _, out _, out _, out _, out _),
        4 => SampleWire.DecodeSpans(answer, new byte[2], out _, new ulong[8], out _, new short[9], out _, out _),
        5 => SampleWire.DecodeText(answer, new byte[48], out _, out _),
        6 => SampleWire.DecodeFill(answer, new byte[33], out _),
        7 => SampleWire.DecodeShout(answer, out _, out _),
        9 => SampleWire.DecodeExchange(answer, out _, out _),
        10 => SampleWire.DecodeFour(answer, out _, out _),
        11 => SampleWire.Decodeevent(answer, out _, out _),
        _ => SampleWire.DecodeMisbehave(answer, new byte[9], out _, out _, out _),
    };

    private static Status AssertRefused(byte[] answer)
    {
        AssertWellFormed(answer);
        Status status = (Status)BinaryPrimitives.ReadUInt32LittleEndian(answer.AsSpan(16));
        Assert.NotEqual(Status.Ok, status);
        return status;
    }

    private static void AssertWellFormed(byte[] answer)
    {
        if (answer.Length < HeaderBytes || BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(12)) != answer.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(answer) != WireHeader.ResponseMagic)
        {
            Assert.Fail("The answer is no message: " + Convert.ToHexString(answer));
        }
    }
}
