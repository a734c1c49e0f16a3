using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Frame records (AAPCS64 6.4.6) of a level that is not believed: the caller's record, then the return address.</summary>
public static class StackWalk
{
    /// <summary>VA of physical address 0 in SK.</summary>
    public const ulong SecureKernel = 0xFFFF_0000_0000_0000;

    private const ulong RecordBytes = 16;

    /// <summary>PA of the record that x29 names, or 0 when it cannot be one: it must lie whole in data of that level.</summary>
    /// <param name="directMap">VA of physical address 0 there.</param>
    /// <param name="data">The type of that level's own data.</param>
    public static ulong Locate(in FrameTable frames, ulong pointer, ulong directMap, FrameType data)
    {
        ulong physical = pointer - directMap;
        return (pointer & 7) == 0 && (pointer & (FrameTable.PageBytes - 1)) <= FrameTable.PageBytes - RecordBytes && frames.TypeOf(physical) == data
            ? physical
            : 0;
    }
}
