using System;
using System.Buffers.Binary;
using System.Linq;
using System.Text;
using Exclaves.Sptm;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The log as Linux's memconsole-coreboot reads it (drivers/firmware/google).</summary>
public class FirmwareLogTests
{
    private const ulong Address = 0x1_4030_0000;

    private readonly byte[] _memory = new byte[FirmwareLog.Bytes];
    private uint _written;

    public FirmwareLogTests() => FirmwareLog.Initialize(_memory, Address);

    [Fact]
    public void TheTableNamesTheConsole()
    {
        Assert.Equal("LBIO"u8.ToArray(), _memory[..4]);
        Assert.Equal((24u, 16u, 1u), (Word(4), Word(12), Word(20)));
        Assert.Equal((0x17u, 16u), (Word(24), Word(28)));
        Assert.Equal(Address + 64, BinaryPrimitives.ReadUInt64LittleEndian(_memory.AsSpan(32)));
    }

    [Fact]
    public void LinuxReadsWhatWasWritten()
    {
        Write("one\ntwo\n");
        Assert.Equal("one\ntwo\n", Read());
    }

    [Theory, InlineData(-1), InlineData(0), InlineData(1), InlineData(FirmwareLog.Capacity), InlineData((2 * FirmwareLog.Capacity) + 5)]
    public void AfterTheEndTheOldestGoesFirst(int beyond)
    {
        string text = string.Concat(Enumerable.Range(0, FirmwareLog.Capacity + beyond).Select(i => (char)('a' + (i % 23))));
        Write(text);
        Assert.Equal(text[Math.Max(0, beyond)..], Read());
        Assert.Equal((byte)text[^1], FirmwareLog.Get(_memory, _written - 1));
    }

    private void Write(string text)
    {
        foreach (byte letter in Encoding.ASCII.GetBytes(text))
        {
            FirmwareLog.Put(_memory, _written++, letter);
        }
    }

    /// <summary>As memconsole_coreboot_read does it.</summary>
    private string Read()
    {
        int size = (int)Word(64);
        uint word = Word(68);
        int cursor = (int)(word & 0xFFF_FFFF);
        Assert.True(72 + size <= _memory.Length && cursor <= size);
        ReadOnlySpan<byte> body = _memory.AsSpan(72, size);
        return (word & 0x8000_0000) == 0
            ? Encoding.ASCII.GetString(body[..cursor])
            : Encoding.ASCII.GetString(body[cursor..]) + Encoding.ASCII.GetString(body[..cursor]);
    }

    private uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_memory.AsSpan(offset));
}
