using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Tightbeam.Sample;

namespace Exclaves.Tightbeam.Tests;

/// <summary>The sample's service, whose Fill waits until it may go on.</summary>
internal sealed class SlowService : ISample, IDisposable
{
    public SampleService Inner { get; } = new();

    public ManualResetEventSlim Go { get; } = new(true);

    public Status Integers(
        sbyte a, byte b, short c, ushort d, int e, uint f, long g, ulong h, bool i,
        out sbyte a2, out byte b2, out short c2, out ushort d2, out int e2, out uint f2, out long g2, out ulong h2, out bool i2) =>
        Inner.Integers(a, b, c, d, e, f, g, h, i, out a2, out b2, out c2, out d2, out e2, out f2, out g2, out h2, out i2);

    public Status Structures(in Segment segment, Colour colour, Rights rights, out Segment segment2, out Colour colour2, out Rights rights2) =>
        Inner.Structures(segment, colour, rights, out segment2, out colour2, out rights2);

    public Status Optionals(uint? a, Colour? b, Segment? c, bool? d, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2) =>
        Inner.Optionals(a, b, c, d, out a2, out b2, out c2, out d2);

    public Status Spans(
        ReadOnlySpan<byte> bytes, ReadOnlySpan<ulong> words, ReadOnlySpan<short> shorts,
        Span<byte> bytes2, out int bytes2Length, Span<ulong> words2, out int words2Length, Span<short> shorts2, out int shorts2Length) =>
        Inner.Spans(bytes, words, shorts, bytes2, out bytes2Length, words2, out words2Length, shorts2, out shorts2Length);

    public Status Text(ReadOnlySpan<byte> name, Span<byte> greeting, out int length) => Inner.Text(name, greeting, out length);

    public Status Fill(byte value, Span<byte> buffer)
    {
        Go.Wait();
        return Inner.Fill(value, buffer);
    }

    public Result<SampleError> Shout(uint loudness, out uint echo) => Inner.Shout(loudness, out echo);

    public Status Copy(SharedBuffer from, SharedBuffer to, out uint sum) => Inner.Copy(from, to, out sum);

    public Status Exchange(Capability given, out Capability taken) => Inner.Exchange(given, out taken);

    public Status Four(uint a, uint b, ulong c, ulong d, ReadOnlySpan<byte> data, out ulong sum) => Inner.Four(a, b, c, d, data, out sum);

    public Status @event(uint @in, out uint @out) => Inner.@event(@in, out @out);

    public Status Misbehave(uint how, Span<byte> buffer, out int written, out Colour colour) => Inner.Misbehave(how, buffer, out written, out colour);

    public void Dispose() => Inner.Dispose();
}
