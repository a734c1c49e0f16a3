using System;
using Exclaves.Abi;

namespace Exclaves.Tightbeam.Sample;

/// <summary>One operation for each thing that can travel.</summary>
[Tightbeam(id: 0x5A4D_0001, version: 3, CallBytes = 8192)]
public interface ISample
{
    [Op(1, Idempotent = true)]
    Status Integers(
        sbyte a, byte b, short c, ushort d, int e, uint f, long g, ulong h, bool i,
        out sbyte a2, out byte b2, out short c2, out ushort d2, out int e2, out uint f2, out long g2, out ulong h2, out bool i2);

    [Op(2)]
    Status Structures(in Segment segment, Colour colour, Rights rights, out Segment segment2, out Colour colour2, out Rights rights2);

    [Op(3)]
    Status Optionals(uint? a, Colour? b, Segment? c, bool? d, out uint? a2, out Colour? b2, out Segment? c2, out bool? d2);

    /// <summary>Answers each span in the out-buffer of its kind.</summary>
    [Op(4)]
    Status Spans(
        [Max(64)] ReadOnlySpan<byte> bytes, [Max(8)] ReadOnlySpan<ulong> words, [Max(16)] ReadOnlySpan<short> shorts,
        [Max(64)] Span<byte> bytes2, [LengthOf(nameof(bytes2))] out int bytes2Length,
        [Max(8)] Span<ulong> words2, [LengthOf(nameof(words2))] out int words2Length,
        [Max(16)] Span<short> shorts2, [LengthOf(nameof(shorts2))] out int shorts2Length);

    [Op(5)]
    Status Text([Utf8, Max(40)] ReadOnlySpan<byte> name, [Utf8, Max(48)] Span<byte> greeting, [LengthOf(nameof(greeting))] out int length);

    /// <summary>The whole buffer comes back.</summary>
    [Op(6)]
    Status Fill(byte value, [Max(300)] Span<byte> buffer);

    [Op(7)]
    Result<SampleError> Shout(uint loudness, out uint echo);

    [Op(8, Since = 2)]
    Status Copy([Max(1 << 20)] SharedBuffer from, [Max(1 << 20), Writable] SharedBuffer to, out uint sum);

    [Op(9, Since = 3)]
    Status Exchange(Capability given, out Capability taken);

    /// <summary>What the bench calls: four integers and 256 bytes.</summary>
    [Op(10)]
    Status Four(uint a, uint b, ulong c, ulong d, [Max(256)] ReadOnlySpan<byte> data, out ulong sum);

    [Op(11)]
    Status @event(uint @in, out uint @out);

    /// <summary>Does what it is told to: fails, throws, lies.</summary>
    [Op(12)]
    Status Misbehave(uint how, [Max(16)] Span<byte> buffer, [LengthOf(nameof(buffer))] out int written, out Colour colour);
}
