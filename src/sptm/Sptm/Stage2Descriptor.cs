namespace Exclaves.Sptm;

/// <summary>Bits of a VMSAv8-64 stage-2 descriptor (Arm ARM D8.3, 4 KiB granule).</summary>
/// <remarks>
///  63      55 54 53 52    51      12 11 10 9  8 7  6 5     2 1 0
/// | ignored  | XN  |C|    | address  |  |AF| SH |S2AP|MemAttr|type|
/// </remarks>
public static class Stage2Descriptor
{
    public const ulong Valid = 1;

    /// <summary>At levels 1 and 2: next table rather than block. At level 3: page.</summary>
    public const ulong TableOrPage = 2;
    public const ulong AddressMask = 0x0000_FFFF_FFFF_F000;

    private const int MemoryAttributeShift = 2;
    private const ulong DeviceNGnRe = 0b0001;
    private const ulong NormalWriteBack = 0b1111;
    private const int AccessShift = 6;
    private const ulong AccessMask = 3ul << AccessShift;
    private const ulong InnerShareable = 3ul << 8;
    private const ulong AccessFlag = 1ul << 10;

    /// <summary>Set in every leaf that we make and in no table.</summary>
    public const ulong AccessFlagOfLeaf = AccessFlag;
    private const ulong ExecuteNever = 2ul << 53;

    /// <summary>A leaf for normal memory or (<paramref name="device"/>) device memory, or 0 when <paramref name="access"/> lacks read.</summary>
    /// <param name="address">Physical base, aligned to the leaf's size.</param>
    /// <param name="level">1: 1 GiB, 2: 2 MiB, 3: 4 KiB.</param>
    public static ulong Leaf(ulong address, int level, FrameAccess access, bool device)
    {
        if ((access & FrameAccess.Read) == 0)
        {
            return 0;
        }

        ulong rights = (access & FrameAccess.Write) != 0 ? AccessMask : 1ul << AccessShift;
        ulong never = (access & FrameAccess.Execute) != 0 && !device ? 0 : ExecuteNever;
        ulong attribute = device ? DeviceNGnRe : NormalWriteBack;
        ulong type = level == 3 ? Valid | TableOrPage : Valid;
        return address | never | AccessFlag | InnerShareable | rights | (attribute << MemoryAttributeShift) | type;
    }

    public static ulong Table(ulong address) => address | Valid | TableOrPage;

    public static bool IsValid(ulong descriptor) => (descriptor & Valid) != 0;

    public static bool IsTable(ulong descriptor, int level) => level < 3 && (descriptor & (Valid | TableOrPage)) == (Valid | TableOrPage);

    /// <summary>What a leaf permits; None for an invalid descriptor.</summary>
    public static FrameAccess AccessOf(ulong descriptor)
    {
        if (!IsValid(descriptor))
        {
            return FrameAccess.None;
        }

        FrameAccess access = FrameAccess.None;
        access |= (descriptor & (1ul << AccessShift)) != 0 ? FrameAccess.Read : 0;
        access |= (descriptor & (2ul << AccessShift)) != 0 ? FrameAccess.Write : 0;
        access |= (descriptor & (3ul << 53)) == 0 ? FrameAccess.Execute : 0;
        return access;
    }

    public static bool IsDevice(ulong descriptor) => ((descriptor >> MemoryAttributeShift) & 0xF) == DeviceNGnRe;
}
