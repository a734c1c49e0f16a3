using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>A registered buffer of the caller, in place for the length of this call.</summary>
/// <remarks>Linux can change it at any time. So there is no span of it: what is needed of it is copied once, then judged (I7).</remarks>
public readonly unsafe ref struct LentBuffer
{
    private readonly ulong _address;
    private readonly bool _writable;

    private LentBuffer(ulong address, ulong bytes, bool writable)
    {
        _address = address;
        Bytes = bytes;
        _writable = writable;
    }

    /// <summary>0: nothing was lent.</summary>
    public ulong Bytes { get; }

    /// <summary>Parameter <paramref name="index"/> of the message that this thread serves. Where it lies SK says; how much of that is meant, the message, which is checked against it.</summary>
    public static LentBuffer Of(scoped ref ServiceMessage message, int index)
    {
        ref ServiceParameter parameter = ref Unsafe.Add(ref message.P0, index);
        LentRange range = new(Unsafe.Add(ref IpcPage.Own.Header.Word0, index));
        if (index is < 0 or >= ServiceMessage.MaxParameters || range.IsNone || parameter.Kind is not (ParameterKind.LentIn or ParameterKind.LentOut or ParameterKind.LentInOut))
        {
            return default;
        }

        ulong room = range.Pages * UserLayout.PageBytes;
        return parameter.Offset > room || parameter.A > room - parameter.Offset
            ? default
            : new LentBuffer(range.Address + parameter.Offset, parameter.A, range.IsWritable);
    }

    /// <summary>For <see cref="Tightbeam.SharedBuffer"/>, which copies as this type does.</summary>
    internal Span<byte> Memory
    {
        get
        {
            // SAFETY: as TryRead.
            return new Span<byte>((void*)_address, (int)Bytes);
        }
    }

    /// <summary>Takes a private copy of what lies from <paramref name="offset"/> (bytes) on. False: it is not all there.</summary>
    public bool TryRead(ulong offset, scoped Span<byte> to)
    {
        if (offset > Bytes || (ulong)to.Length > Bytes - offset)
        {
            return false;
        }

        // SAFETY: SK maps the range until this thread answers, and Of has checked that the buffer lies in it.
        new ReadOnlySpan<byte>((void*)(_address + offset), to.Length).CopyTo(to);
        return true;
    }

    /// <summary>False: it does not fit, or the caller lent it to be read.</summary>
    public bool TryWrite(ulong offset, scoped ReadOnlySpan<byte> from)
    {
        if (!_writable || offset > Bytes || (ulong)from.Length > Bytes - offset)
        {
            return false;
        }

        // SAFETY: as TryRead.
        from.CopyTo(new Span<byte>((void*)(_address + offset), from.Length));
        return true;
    }
}
