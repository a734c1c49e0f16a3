using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>Arithmetic on pages.</summary>
public static class Page
{
    public const int Shift = 12;
    public const ulong Bytes = UserLayout.PageBytes;
    private const ulong OffsetMask = Bytes - 1;

    public static bool IsAligned(ulong address) => (address & OffsetMask) == 0;

    public static ulong Down(ulong address) => address & ~OffsetMask;

    /// <summary>Wraps to 0 at the end of the address space; callers compare with the argument.</summary>
    public static ulong Up(ulong address) => unchecked(address + OffsetMask) & ~OffsetMask;

    public static ulong Number(ulong address) => address >> Shift;

    public static ulong Count(ulong start, ulong end) => (end - start) >> Shift;
}
