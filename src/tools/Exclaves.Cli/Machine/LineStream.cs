using System;
using System.IO;
using System.Text;

namespace Exclaves.Cli.Machine;

/// <summary>A stream to write to that hands on whole lines.</summary>
public sealed class LineStream : Stream
{
    private readonly Action<string> _onLine;
    private readonly MemoryStream _line = new();

    public LineStream(Action<string> onLine)
    {
        _onLine = onLine;
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count)
    {
        foreach (byte value in buffer.AsSpan(offset, count))
        {
            if (value != (byte)'\n')
            {
                _line.WriteByte(value);
                continue;
            }

            _onLine(Encoding.UTF8.GetString(_line.ToArray()));
            _line.SetLength(0);
        }
    }
}
