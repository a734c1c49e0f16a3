using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>The first 24 bytes of every message (docs/tightbeam.md has the table).</summary>
public readonly struct WireHeader
{
    public const int Bytes = 24;
    public const uint RequestMagic = 0x3151_4254;   // "TBQ1"
    public const uint ResponseMagic = 0x3152_4254;  // "TBR1"
    public const int MaxMessageBytes = 65_536;

    /// <summary>What a service says about a failure is cut to this.</summary>
    public const int MaxTextBytes = 256;

    /// <summary>The answer of a failure: header, length, text.</summary>
    public const int MaxFailureBytes = Bytes + sizeof(uint) + MaxTextBytes;

    /// <summary>Request and answer of one call in one message of the secure world: its body less <see cref="ServiceMessage"/>, and room to align.</summary>
    public const int MessageCallBytes = 3_840;

    /// <summary>The one GlobalPlatform operation that carries requests: p0 = request, p1 = answer, p2 and p3 = shared buffers.</summary>
    public const uint TeeOperation = 0x5442_0001;

    /// <summary>Answers the interface's version and nothing else; every interface has it.</summary>
    public const ushort VersionOperation = 0;

    private WireHeader(ushort version, ushort operation, Status status, uint error)
    {
        Version = version;
        Operation = operation;
        Status = status;
        Error = error;
    }

    /// <summary>Of the interface, as the sender knows it.</summary>
    public ushort Version { get; }

    public ushort Operation { get; }

    /// <summary>Of an answer: not Ok when the call failed.</summary>
    public Status Status { get; }

    /// <summary>Of an answer: the service's own error; not zero when it refused.</summary>
    public uint Error { get; }

    public bool IsFailure => Status != Status.Ok || Error != 0;

    /// <summary>Checks a request, which must be just so long as it says.</summary>
    public static Status DecodeRequest(scoped ReadOnlySpan<byte> message, uint interfaceId, out WireHeader header)
    {
        Status status = Decode(message, RequestMagic, interfaceId, out header);
        return status != Status.Ok ? status
            : header.Status != Status.Ok || header.Error != 0 ? Status.BadArgument
            : Status.Ok;
    }

    /// <summary>Checks an answer to <paramref name="operation"/>. Whatever is wrong with it, it is a <see cref="Status.BadReply"/>.</summary>
    public static Status DecodeResponse(scoped ReadOnlySpan<byte> message, uint interfaceId, ushort operation, out WireHeader header)
    {
        Status status = Decode(message, ResponseMagic, interfaceId, out header);
        return status == Status.Ok && header.Operation == operation && (header.Status == Status.Ok || header.Error == 0) ? Status.Ok : Status.BadReply;
    }

    /// <summary>Writes a header with the length left open; <see cref="SetLength"/> closes it.</summary>
    internal static void Encode(scoped Span<byte> message, uint magic, uint interfaceId, ushort version, ushort operation, Status status, uint error)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message, magic);
        BinaryPrimitives.WriteUInt32LittleEndian(message.Slice(4), interfaceId);
        BinaryPrimitives.WriteUInt16LittleEndian(message.Slice(8), version);
        BinaryPrimitives.WriteUInt16LittleEndian(message.Slice(10), operation);
        SetLength(message, Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(message.Slice(16), (uint)status);
        BinaryPrimitives.WriteUInt32LittleEndian(message.Slice(20), error);
    }

    internal static void SetLength(scoped Span<byte> message, int bytes) => BinaryPrimitives.WriteUInt32LittleEndian(message.Slice(12), (uint)bytes);

    /// <summary>A call that failed: the answer has a text in place of its values.</summary>
    /// <returns>Bytes of the answer; 0 when not even the header fits.</returns>
    public static int EncodeFailure(
        scoped Span<byte> response, uint interfaceId, ushort version, ushort operation, Status status, uint error, scoped ReadOnlySpan<byte> text)
    {
        if (response.Length < Bytes)
        {
            return 0;
        }

        Encode(response, ResponseMagic, interfaceId, version, operation, status, status == Status.Ok ? error : 0);
        if (response.Length < Bytes + sizeof(uint))
        {
            return Bytes;
        }

        int room = Math.Min(MaxTextBytes, response.Length - Bytes - sizeof(uint));
        int length = Utf8Text.ValidPrefix(text, room);
        BinaryPrimitives.WriteUInt32LittleEndian(response.Slice(Bytes), (uint)length);
        text.Slice(0, length).CopyTo(response.Slice(Bytes + sizeof(uint)));
        SetLength(response, Bytes + sizeof(uint) + length);
        return Bytes + sizeof(uint) + length;
    }

    /// <summary>The text of a failed call's answer; false when there is not just one.</summary>
    public static bool TryReadFailure(ReadOnlySpan<byte> response, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (response.Length == Bytes)
        {
            return true;
        }

        WireReader reader = new(response);
        text = reader.ReadText(MaxTextBytes);
        return reader.IsComplete;
    }

    private static Status Decode(scoped ReadOnlySpan<byte> message, uint magic, uint interfaceId, out WireHeader header)
    {
        header = default;
        if (message.Length < Bytes || message.Length > MaxMessageBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(message) != magic
            || BinaryPrimitives.ReadUInt32LittleEndian(message.Slice(12)) != (uint)message.Length)
        {
            return Status.BadArgument;
        }

        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(message.Slice(8));
        if (version == 0)
        {
            return Status.BadArgument;
        }

        header = new WireHeader(
            version,
            BinaryPrimitives.ReadUInt16LittleEndian(message.Slice(10)),
            (Status)BinaryPrimitives.ReadUInt32LittleEndian(message.Slice(16)),
            BinaryPrimitives.ReadUInt32LittleEndian(message.Slice(20)));
        return BinaryPrimitives.ReadUInt32LittleEndian(message.Slice(4)) == interfaceId ? Status.Ok : Status.NotFound;
    }
}
