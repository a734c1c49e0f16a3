namespace Exclaves.SecureKernel;

/// <summary>What EL0 may do with a page. There is no member that writes and executes (I3).</summary>
public enum PageAccess : byte
{
    /// <summary>Nothing, but the frame stays.</summary>
    None = 0,
    Read = 1,
    ReadWrite = 2,
    ReadExecute = 3,
}

/// <summary>Where a mapped frame comes from, hence who may unmap it. Zero is no frame.</summary>
public enum PageSource : byte
{
    None = 0,

    /// <summary>From the component's untyped memory, at its own request or for its data.</summary>
    Owned = 1,

    /// <summary>Text or constants, in place in the image; the measurement log.</summary>
    Image = 2,

    /// <summary>Belongs to SK's idea of a component: IPC page, start information, stack.</summary>
    Fixed = 3,

    /// <summary>A page of Linux in the shared window.</summary>
    Shared = 4,
    Device = 5,

    /// <summary>A frame that a capability names, and that goes with it.</summary>
    Frame = 6,
}

/// <summary>A stage-1 descriptor, level 3, of an EL0 address space (Arm ARM D8.3).</summary>
/// <remarks>
/// bits 1:0 page | 4:2 memory type | 7:6 AP | 9:8 shareability | 10 AF | 11 nG | 47:12 frame | 53 PXN | 54 UXN | 57:55 source (software).
/// Zero is a hole; a frame kept without access has bit 0 clear and everything else set.
/// </remarks>
public readonly struct PageEntry
{
    public const ulong AddressMask = 0x0000_FFFF_FFFF_F000;
    private const ulong Valid = 1;
    private const ulong Page = 1 << 1;
    private const ulong DeviceMemory = 1 << 2;
    private const ulong UserWritable = 1 << 6;
    private const ulong UserReadOnly = 3 << 6;
    private const ulong InnerShareable = 3 << 8;
    private const ulong AccessFlag = 1 << 10;
    private const ulong NotGlobal = 1 << 11;
    private const ulong PrivilegedExecuteNever = 1ul << 53;
    private const ulong UserExecuteNever = 1ul << 54;
    private const int SourceShift = 55;

    private readonly ulong _value;

    public PageEntry(ulong value) => _value = value;

    public ulong Value => _value;
    public bool IsHole => _value == 0;
    public bool IsValid => (_value & Valid) != 0;
    public ulong Frame => _value & AddressMask;
    public PageSource Source => (PageSource)((_value >> SourceShift) & 7);
    public bool IsWritable => IsValid && (_value & UserReadOnly) == UserWritable;
    public bool IsExecutable => IsValid && (_value & UserExecuteNever) == 0;

    public static PageEntry Create(ulong frame, PageAccess access, PageSource source)
    {
        ulong rights = access switch
        {
            PageAccess.Read => Valid | UserReadOnly | UserExecuteNever,
            PageAccess.ReadWrite => Valid | UserWritable | UserExecuteNever,
            PageAccess.ReadExecute => Valid | UserReadOnly,
            _ => UserReadOnly | UserExecuteNever,
        };
        return new PageEntry((frame & AddressMask) | rights | Page | AccessFlag | NotGlobal | InnerShareable | PrivilegedExecuteNever
            | (source == PageSource.Device ? DeviceMemory : 0) | ((ulong)source << SourceShift));
    }

    public PageEntry With(PageAccess access) => Create(Frame, access, Source);
}
