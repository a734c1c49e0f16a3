using System;
using System.Threading;

namespace Exclaves.Attack;

/// <summary>Registers of a device, mapped into this process past Linux's drivers. Offsets are bytes; each access has exactly its width.</summary>
internal sealed unsafe class RegisterRange
{
    private readonly byte* _mapped;
    private readonly int _bytes;

    public RegisterRange(nint mapped, int bytes)
    {
        _mapped = (byte*)mapped;
        _bytes = bytes;
    }

    // SAFETY of all: At keeps the access inside the mapping, which is never undone while the process lives.
    public byte Read8(uint offset) => Volatile.Read(ref *At(offset, sizeof(byte)));

    public void Write8(uint offset, byte value) => Volatile.Write(ref *At(offset, sizeof(byte)), value);

    public ushort Read16(uint offset) => Volatile.Read(ref *(ushort*)At(offset, sizeof(ushort)));

    public void Write16(uint offset, ushort value) => Volatile.Write(ref *(ushort*)At(offset, sizeof(ushort)), value);

    public uint Read32(uint offset) => Volatile.Read(ref *(uint*)At(offset, sizeof(uint)));

    public void Write32(uint offset, uint value) => Volatile.Write(ref *(uint*)At(offset, sizeof(uint)), value);

    public void Write64(uint offset, ulong value) => Volatile.Write(ref *(ulong*)At(offset, sizeof(ulong)), value);

    /// <summary>A 64-bit register as its two halves, the lower first.</summary>
    public void WriteHalves(uint offset, ulong value)
    {
        Write32(offset, (uint)value);
        Write32(offset + sizeof(uint), (uint)(value >> 32));
    }

    private byte* At(uint offset, int width)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + (ulong)width, (ulong)_bytes);
        return _mapped + offset;
    }
}
