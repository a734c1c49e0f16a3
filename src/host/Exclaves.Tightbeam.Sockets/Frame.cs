using System;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Exclaves.Tightbeam.Sockets;

/// <summary>One message on the way, with the contents of its shared buffers (docs/tightbeam.md has the table).</summary>
internal sealed class Frame
{
    public const int HeaderBytes = 32;
    public const int MaxSharedBytes = 1 << 20;
    private const uint Magic = 0x3146_4254; // "TBF1"

    private readonly byte[] _header = new byte[HeaderBytes];
    private byte[] _message = [];
    private byte[] _first = [];
    private byte[] _second = [];

    public ulong Call { get; private set; }

    public int MessageBytes { get; private set; }

    public SharedAccess FirstAccess { get; private set; }

    public SharedAccess SecondAccess { get; private set; }

    public int FirstBytes { get; private set; }

    public int SecondBytes { get; private set; }

    public Memory<byte> Message => _message.AsMemory(0, MessageBytes);

    /// <summary>Contents, or the room for them, zero at first.</summary>
    public Memory<byte> First => _first.AsMemory(0, FirstBytes);

    public Memory<byte> Second => _second.AsMemory(0, SecondBytes);

    /// <summary>Reads a whole frame. False: the peer closed the connection between two.</summary>
    /// <param name="carried">The contents that travel this way: those that the service reads in a request, those that it writes in an answer.</param>
    /// <param name="wholeBy">From the first byte on.</param>
    /// <exception cref="InvalidFrameException">It is none, or it does not come to its end.</exception>
    public async Task<bool> Read(Socket socket, SharedAccess carried, TimeSpan wholeBy, CancellationToken cancellationToken)
    {
        int first = await socket.ReceiveAsync(_header.AsMemory(), SocketFlags.None, cancellationToken).ConfigureAwait(false);
        if (first == 0)
        {
            return false;
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(wholeBy);
        try
        {
            await Fill(socket, _header.AsMemory(first), limit.Token).ConfigureAwait(false);
            Decode();
            _message = Grow(_message, MessageBytes);
            _first = Grow(_first, FirstBytes);
            _second = Grow(_second, SecondBytes);
            await Fill(socket, Message, limit.Token).ConfigureAwait(false);
            await Take(socket, First, FirstAccess, carried, limit.Token).ConfigureAwait(false);
            await Take(socket, Second, SecondAccess, carried, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidFrameException("The frame did not come to its end in time.");
        }
    }

    public static async Task Write(
        Socket socket, ulong call, ReadOnlyMemory<byte> message, SharedAccess carried,
        SharedAccess firstAccess, ReadOnlyMemory<byte> first, SharedAccess secondAccess, ReadOnlyMemory<byte> second, CancellationToken cancellationToken)
    {
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), message.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), call);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), (uint)firstAccess);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(20), first.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(24), (uint)secondAccess);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), second.Length);
        await Send(socket, header, cancellationToken).ConfigureAwait(false);
        await Send(socket, message, cancellationToken).ConfigureAwait(false);
        await Send(socket, firstAccess == carried ? first : default, cancellationToken).ConfigureAwait(false);
        await Send(socket, secondAccess == carried ? second : default, cancellationToken).ConfigureAwait(false);
    }

    private void Decode()
    {
        ReadOnlySpan<byte> header = _header;
        uint message = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        (FirstAccess, FirstBytes) = DecodeShared(header[16..]);
        (SecondAccess, SecondBytes) = DecodeShared(header[24..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic || message is 0 or > WireHeader.MaxMessageBytes
            || (FirstAccess == SharedAccess.None && SecondAccess != SharedAccess.None))
        {
            throw new InvalidFrameException("This is no frame.");
        }

        MessageBytes = (int)message;
        Call = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
    }

    private static (SharedAccess Access, int Bytes) DecodeShared(ReadOnlySpan<byte> header)
    {
        SharedAccess access = (SharedAccess)BinaryPrimitives.ReadUInt32LittleEndian(header);
        uint bytes = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        return access switch
        {
            SharedAccess.None when bytes == 0 => (access, 0),
            SharedAccess.Read or SharedAccess.Write when bytes <= MaxSharedBytes => (access, (int)bytes),
            _ => throw new InvalidFrameException("A shared buffer is longer than it may be."),
        };
    }

    private static byte[] Grow(byte[] buffer, int bytes) => buffer.Length >= bytes ? buffer : new byte[bytes];

    private static async Task Take(Socket socket, Memory<byte> buffer, SharedAccess access, SharedAccess carried, CancellationToken cancellationToken)
    {
        buffer.Span.Clear();
        if (access == carried)
        {
            await Fill(socket, buffer, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task Fill(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            int bytes = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (bytes == 0)
            {
                throw new InvalidFrameException("The connection ended inside a frame.");
            }

            buffer = buffer[bytes..];
        }
    }

    private static async Task Send(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
        }
    }
}
