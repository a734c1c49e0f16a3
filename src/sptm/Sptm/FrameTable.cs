using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Every frame of RAM and its type: the only truth about memory (I1).</summary>
/// <remarks>A view on memory that the boot code set aside. Addresses are physical bytes; callers hold the stage-2 lock for all but reads.</remarks>
public readonly ref struct FrameTable
{
    public const int PageShift = 12;
    public const ulong PageBytes = 1 << PageShift;

    private readonly Span<FrameEntry> _entries;
    private readonly ulong _ramBase;

    public FrameTable(Span<FrameEntry> entries, ulong ramBase)
    {
        _entries = entries;
        _ramBase = ramBase;
    }

    /// <summary>Whether <paramref name="address"/> lies in RAM.</summary>
    public bool Contains(ulong address) => ((address - _ramBase) >> PageShift) < (ulong)_entries.Length;

    /// <summary>Type of the frame that holds <paramref name="address"/>; Unknown outside RAM.</summary>
    public FrameType TypeOf(ulong address) => Contains(address) ? Entry(address).Type : FrameType.Unknown;

    /// <summary>The entry of a frame that <see cref="Contains"/> has admitted.</summary>
    public ref FrameEntry Entry(ulong address) => ref _entries[(int)((address - _ramBase) >> PageShift)];

    /// <summary>Gives the frames of a range their first type. Boot only: a frame is claimed once.</summary>
    /// <returns><see cref="Status.BadAddress"/> when the range is unaligned or outside RAM, <see cref="Status.BadState"/> when a frame has a type.</returns>
    public Status Claim(ulong start, ulong bytes, FrameType type)
    {
        if (((start | bytes) & (PageBytes - 1)) != 0 || bytes == 0 || !Contains(start) || start + bytes < start || !Contains(start + bytes - 1))
        {
            return Status.BadAddress;
        }

        Span<FrameEntry> range = _entries.Slice((int)((start - _ramBase) >> PageShift), (int)(bytes >> PageShift));
        for (int i = 0; i < range.Length; i++)
        {
            if (range[i].Type != FrameType.Unknown)
            {
                return Status.BadState;
            }
        }

        for (int i = 0; i < range.Length; i++)
        {
            range[i].Type = type;
        }

        return Status.Ok;
    }

    /// <summary>Gives every frame that nobody claimed to Linux. The last step of building the table.</summary>
    public void ClaimRestForLinux()
    {
        for (int i = 0; i < _entries.Length; i++)
        {
            if (_entries[i].Type == FrameType.Unknown)
            {
                _entries[i].Type = FrameType.XnuDefault;
            }
        }
    }

    /// <summary>Bytes from <paramref name="address"/> on whose frames all have the same type, at most <paramref name="limit"/>.</summary>
    public ulong RunLength(ulong address, ulong limit)
    {
        FrameType type = TypeOf(address);
        ulong length = PageBytes;
        while (length < limit && Contains(address + length) && Entry(address + length).Type == type)
        {
            length += PageBytes;
        }

        return length;
    }
}
