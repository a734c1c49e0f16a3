using System;
using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Tightbeam.Sample;

/// <summary>Answers what it was given.</summary>
public sealed class SampleService : ISample, IDisposable
{
    public int Calls { get; private set; }

    public bool IsDisposed { get; private set; }

    public Status Integers(
        sbyte a, byte b, short c, ushort d, int e, uint f, long g, ulong h, bool i,
        out sbyte a2, out byte b2, out short c2, out ushort d2, out int e2, out uint f2, out long g2, out ulong h2, out bool i2)
    {
        Calls++;
        (a2, b2, c2, d2, e2, f2, g2, h2, i2) = (a, b, c, d, e, f, g, h, i);
        return Status.Ok;
    }

    public Status Structures(in Segment segment, Colour colour, Rights rights, out Segment segment2, out Colour colour2, out Rights rights2)
    {
        Calls++;
        (segment2, colour2, rights2) = (segment, colour, rights);
        return Status.Ok;
    }

    public Status Optionals(uint? a, Colour? b, Segment? c, bool? d, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2)
    {
        Calls++;
        (a2, b2, c2, d2) = (a, b, c, d);
        return Status.Ok;
    }

    public Status Spans(
        ReadOnlySpan<byte> bytes, ReadOnlySpan<ulong> words, ReadOnlySpan<short> shorts,
        Span<byte> bytes2, out int bytes2Length, Span<ulong> words2, out int words2Length, Span<short> shorts2, out int shorts2Length)
    {
        Calls++;
        bytes2Length = Copy(bytes, bytes2);
        words2Length = Copy(words, words2);
        shorts2Length = Copy(shorts, shorts2);
        return Status.Ok;
    }

    public Status Text(ReadOnlySpan<byte> name, Span<byte> greeting, out int length)
    {
        Calls++;
        length = 0;
        ReadOnlySpan<byte> hello = "Hello, "u8;
        if (greeting.Length < hello.Length + name.Length)
        {
            return Status.TooBig;
        }

        hello.CopyTo(greeting);
        name.CopyTo(greeting[hello.Length..]);
        length = hello.Length + name.Length;
        return Status.Ok;
    }

    public Status Fill(byte value, Span<byte> buffer)
    {
        Calls++;
        buffer.Fill(value);
        return Status.Ok;
    }

    public Result<SampleError> Shout(uint loudness, out uint echo)
    {
        Calls++;
        echo = loudness / 2;
        return loudness switch
        {
            0 => SampleError.Empty,
            > 1000 => throw TightbeamException.For(SampleError.TooLoud, $"{loudness} is more than 1000"),
            > 100 => SampleError.TooLoud,
            13 => Status.Busy,
            _ => SampleError.None,
        };
    }

    public Status Copy(SharedBuffer from, SharedBuffer to, out uint sum)
    {
        Calls++;
        sum = 0;
        Span<byte> chunk = stackalloc byte[512];
        for (int at = 0; at < Math.Min(from.Length, to.Length); at += chunk.Length)
        {
            Span<byte> part = chunk[..Math.Min(chunk.Length, Math.Min(from.Length, to.Length) - at)];
            Status status = from.Read(at, part);
            status = status == Status.Ok ? to.Write(at, part) : status;
            if (status != Status.Ok)
            {
                return status;
            }

            foreach (byte value in part)
            {
                sum += value;
            }
        }

        return Status.Ok;
    }

    public Status Exchange(Capability given, out Capability taken)
    {
        Calls++;
        taken = given.IsNone ? default : new Capability(given.Slot + 100);
        return Status.Ok;
    }

    public Status Four(uint a, uint b, ulong c, ulong d, ReadOnlySpan<byte> data, out ulong sum)
    {
        Calls++;
        sum = a + b + c + d + (ulong)data.Length;
        return Status.Ok;
    }

    public Status @event(uint @in, out uint @out)
    {
        Calls++;
        @out = @in + 1;
        return Status.Ok;
    }

    public Status Misbehave(uint how, Span<byte> buffer, out int written, out Colour colour)
    {
        Calls++;
        written = 0;
        colour = Colour.None;
        switch (how)
        {
            case 0:
                return Status.Ok;
            case 1:
                return Status.Busy;
            case 2:
                written = buffer.Length + 1;
                return Status.Ok;
            case 3:
                written = -1;
                return Status.Ok;
            case 4:
                colour = (Colour)5;
                return Status.Ok;
            case 5:
                // Claims bytes that it has not written.
                written = buffer.Length;
                return Status.Ok;
            case 6:
                throw new KeyNotFoundException("there is no key 'alpha'");
            case 7:
                throw new TightbeamException(Status.Denied, "not you");
            case 8:
                throw new InvalidOperationException(new string('ä', 500));
            default:
                throw new NotImplementedException();
        }
    }

    public void Dispose() => IsDisposed = true;

    private static int Copy<T>(ReadOnlySpan<T> from, Span<T> to)
    {
        int count = Math.Min(from.Length, to.Length);
        from[..count].CopyTo(to);
        return count;
    }
}
