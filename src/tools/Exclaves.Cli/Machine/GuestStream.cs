using System;
using System.Text;

namespace Exclaves.Cli.Machine;

/// <summary>Splits what comes from a port into the command's own bytes and the verdict behind the marker.</summary>
/// <remarks>Bytes pass at once, apart from the few that may be the marker's beginning.</remarks>
public sealed class GuestStream
{
    private const int MaxVerdictBytes = 512;

    private readonly byte[] _marker;
    private byte[] _held = [];
    private bool _isMarked;

    public GuestStream(string marker)
    {
        _marker = Encoding.ASCII.GetBytes(marker);
    }

    /// <summary>What stands between marker and end of line; null until it has come.</summary>
    public string? Verdict { get; private set; }

    /// <summary>Takes the next bytes; answers those that belong to the command.</summary>
    public byte[] Take(ReadOnlySpan<byte> chunk)
    {
        byte[] all = [.. _held, .. chunk];
        if (_isMarked)
        {
            _held = all;
            ReadVerdict();
            return [];
        }

        int at = all.AsSpan().IndexOf(_marker);
        if (at >= 0)
        {
            _isMarked = true;
            _held = all[(at + _marker.Length)..];
            ReadVerdict();
            return all[..at];
        }

        int kept = LengthOfBeginning(all);
        _held = all[^kept..];
        return all[..^kept];
    }

    /// <summary>What is held back when the stream ends without a marker.</summary>
    public byte[] TakeRest() => _isMarked ? [] : _held;

    private void ReadVerdict()
    {
        int end = _held.AsSpan().IndexOf((byte)'\n');
        if (Verdict == null && (end >= 0 || _held.Length > MaxVerdictBytes))
        {
            Verdict = Encoding.UTF8.GetString(_held.AsSpan(0, end >= 0 ? end : MaxVerdictBytes)).Trim();
        }
    }

    /// <summary>Longest end of <paramref name="bytes"/> that the marker begins with.</summary>
    private int LengthOfBeginning(ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min(bytes.Length, _marker.Length - 1);
        while (length > 0 && !_marker.AsSpan().StartsWith(bytes[^length..]))
        {
            length--;
        }

        return length;
    }
}
