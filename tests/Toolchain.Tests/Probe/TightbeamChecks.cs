using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;
using Exclaves.Tightbeam.Sample;

namespace Exclaves.Probe;

/// <summary>The generated code of an interface with everything in it, both sides, without a runtime.</summary>
internal static class TightbeamChecks
{
    private const int Bytes = 1024;

    public static bool Values()
    {
        SampleClient<Loop> client = new(new Loop(stackalloc byte[Bytes], stackalloc byte[Bytes]));
        Point from = new(-1, 2, Colour.Violet);
        return client.Integers(-1, 2, -3, 4, -5, 6, -7, 8, true, out sbyte a, out byte b, out short c, out ushort d, out int e, out uint f, out long g, out ulong h, out bool i) == Status.Ok
            && a == -1 && b == 2 && c == -3 && d == 4 && e == -5 && f == 6 && g == -7 && h == 8 && i
            && client.Structures(new Segment(from, null, 7, true), Colour.Green, Rights.Own | Rights.Read, out Segment segment, out Colour colour, out Rights rights) == Status.Ok
            && segment.From.X == -1 && segment.From.Colour == Colour.Violet && !segment.To.HasValue && segment.Width == 7 && segment.Closed
            && colour == Colour.Green && rights == (Rights.Own | Rights.Read)
            && client.Optionals(3, null, new Segment(from, from, 1, false), false, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2) == Status.Ok
            && a2 == 3 && !b2.HasValue && c2.GetValueOrDefault().To.GetValueOrDefault().Y == 2 && d2.HasValue && !d2.GetValueOrDefault();
    }

    public static bool Buffers()
    {
        SampleClient<Loop> client = new(new Loop(stackalloc byte[Bytes], stackalloc byte[Bytes]));
        Span<byte> bytes = stackalloc byte[8];
        Span<ulong> words = stackalloc ulong[2];
        return client.Spans("abc"u8, [1, 1ul << 40], default, bytes, out int byteCount, words, out int wordCount, default, out int shortCount) == Status.Ok
            && byteCount == 3 && bytes[2] == 'c' && bytes[3] == 0 && wordCount == 2 && words[1] == 1ul << 40 && shortCount == 0
            && client.Fill(9, bytes) == Status.Ok && bytes[7] == 9
            && client.Copy(new SharedBuffer(1, 0, bytes), new SharedBuffer(2, 0, bytes), out uint sum) == Status.Ok && sum == 8
            && client.Exchange(new Capability(5), out Capability taken) == Status.Ok && taken.Slot == 6;
    }

    public static bool Refusals()
    {
        SampleClient<Loop> client = new(new Loop(stackalloc byte[Bytes], stackalloc byte[Bytes]));
        Span<byte> text = stackalloc byte[48];
        return client.Text([0xFF], text, out _) == Status.BadArgument
            && client.Fill(1, default) == Status.Ok
            && client.Text("Ada"u8, text, out int length) == Status.TooBig && length == 0
            && client.Shout(0, out _).Error == SampleError.Empty
            && client.Shout(13, out _).Status == Status.Busy
            && client.Misbehave(0, text, out _, out _) == Status.BadCall
            && client.ReadVersion(out ushort version) == Status.Ok && version == 3;
    }

    /// <summary>Every changed byte of a request finds an answer: nothing here could throw, so an over-read would end the probe.</summary>
    public static bool Damage()
    {
        SampleClient<Loop> client = new(new Loop(stackalloc byte[Bytes], stackalloc byte[Bytes]));
        Service service = default;
        Span<byte> request = stackalloc byte[128];
        Span<byte> response = stackalloc byte[512];
        bool isSound = true;
        if (SampleWire.EncodeText(request, "Ada"u8, 8, out int bytes) != Status.Ok)
        {
            return false;
        }

        for (int at = 0; at < bytes; at++)
        {
            for (int value = 0; value < 256; value++)
            {
                byte kept = request[at];
                request[at] = (byte)value;
                Attachments attachments = default;
                int answered = SampleDispatcher<Service>.Dispatch(ref service, request.Slice(0, bytes), response, ref attachments);
                isSound &= answered >= WireHeader.Bytes && answered <= WireHeader.MaxFailureBytes;
                request[at] = kept;
            }
        }

        return isSound && client.@event(1, out uint two) == Status.Ok && two == 2;
    }

    /// <summary>Both messages lie on the stack of who made the client.</summary>
    private ref struct Loop(Span<byte> request, Span<byte> answer) : ITransport
    {
        private readonly Span<byte> _answer = answer;
        private int _answered = 0;

        public readonly Span<byte> Request { get; } = request;

        public readonly ReadOnlySpan<byte> Response => _answer.Slice(0, _answered);

        public Status Call(int requestBytes, scoped ref Attachments attachments)
        {
            Service service = default;
            _answered = SampleDispatcher<Service>.Dispatch(ref service, Request.Slice(0, requestBytes), _answer, ref attachments);
            return Status.Ok;
        }
    }

    private struct Service : ISample
    {
        public readonly Status Integers(
            sbyte a, byte b, short c, ushort d, int e, uint f, long g, ulong h, bool i,
            out sbyte a2, out byte b2, out short c2, out ushort d2, out int e2, out uint f2, out long g2, out ulong h2, out bool i2)
        {
            a2 = a;
            b2 = b;
            c2 = c;
            d2 = d;
            e2 = e;
            f2 = f;
            g2 = g;
            h2 = h;
            i2 = i;
            return Status.Ok;
        }

        public readonly Status Structures(in Segment segment, Colour colour, Rights rights, out Segment segment2, out Colour colour2, out Rights rights2)
        {
            segment2 = segment;
            colour2 = colour;
            rights2 = rights;
            return Status.Ok;
        }

        public readonly Status Optionals(uint? a, Colour? b, Segment? c, bool? d, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2)
        {
            a2 = a;
            b2 = b;
            c2 = c;
            d2 = d;
            return Status.Ok;
        }

        public readonly Status Spans(
            ReadOnlySpan<byte> bytes, ReadOnlySpan<ulong> words, ReadOnlySpan<short> shorts,
            Span<byte> bytes2, out int bytes2Length, Span<ulong> words2, out int words2Length, Span<short> shorts2, out int shorts2Length)
        {
            bytes2Length = bytes.TryCopyTo(bytes2) ? bytes.Length : 0;
            words2Length = words.TryCopyTo(words2) ? words.Length : 0;
            shorts2Length = shorts.TryCopyTo(shorts2) ? shorts.Length : 0;
            return Status.Ok;
        }

        public readonly Status Text(ReadOnlySpan<byte> name, Span<byte> greeting, out int length)
        {
            length = 0;
            return name.Length < 4 ? Status.TooBig : Status.Ok;
        }

        public readonly Status Fill(byte value, Span<byte> buffer)
        {
            buffer.Fill(value);
            return Status.Ok;
        }

        public readonly Result<SampleError> Shout(uint loudness, out uint echo)
        {
            echo = loudness;
            return loudness == 0 ? SampleError.Empty : loudness == 13 ? Status.Busy : SampleError.None;
        }

        public readonly Status Copy(SharedBuffer from, SharedBuffer to, out uint sum)
        {
            sum = (uint)from.Length;
            Span<byte> one = stackalloc byte[1];
            Status status = from.Read(0, one);
            return status == Status.Ok ? to.Write(to.Length - 1, one) : status;
        }

        public readonly Status Exchange(Capability given, out Capability taken)
        {
            taken = new Capability(given.Slot + 1);
            return Status.Ok;
        }

        public readonly Status Four(uint a, uint b, ulong c, ulong d, ReadOnlySpan<byte> data, out ulong sum)
        {
            sum = a + b + c + d;
            return Status.Ok;
        }

        public readonly Status @event(uint @in, out uint @out)
        {
            @out = @in + 1;
            return Status.Ok;
        }

        public readonly Status Misbehave(uint how, Span<byte> buffer, out int written, out Colour colour)
        {
            written = 0;
            colour = default;
            return Status.BadCall;
        }
    }
}
