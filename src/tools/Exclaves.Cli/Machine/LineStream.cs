using System;
using System.IO;
using System.Text;
using Exclaves.Cli.Terminal;

namespace Exclaves.Cli.Machine;

/// <summary>A stream to write to that hands on whole lines.</summary>
public sealed class LineStream : WriteOnlyStream
{
    private readonly Action<string> _onLine;
    private readonly MemoryStream _line = new();

    public LineStream(Action<string> onLine)
    {
        _onLine = onLine;
    }

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
