using System;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Where the loaded image and the pool lie, once checked.</summary>
public struct ImagePlan
{
    public ulong PoolBase;
    public ulong PoolBytes;
    public ulong SecureEnd;
    public ulong KernelBase;
    public ulong InitramfsBase;
    public ulong InitramfsEnd;
}

/// <summary>Validates what the image tool wrote before anything is believed of it.</summary>
public static class ImageCheck
{
    private const ulong Page = FrameTable.PageBytes;
    private const ulong Block = 0x20_0000;

    /// <summary>Checks the header against the machine.</summary>
    /// <param name="ramBytes">Bytes of RAM from <see cref="Virt.RamBase"/>.</param>
    /// <param name="rule">The rule that was broken, for the console.</param>
    public static bool TryPlan(scoped in ImageHeader header, ulong ramBytes, out ImagePlan plan, out ReadOnlySpan<byte> rule)
    {
        ulong ramEnd = Virt.RamBase + ramBytes;
        plan = new ImagePlan
        {
            PoolBase = ramEnd - header.PoolBytes,
            PoolBytes = header.PoolBytes,
            SecureEnd = header.SecureEnd,
            KernelBase = header.KernelBase,
            InitramfsBase = header.InitramfsBase,
            InitramfsEnd = header.InitramfsBase + header.InitramfsBytes,
        };
        rule =
            header.Magic != ImageHeader.MagicValue || header.Version != ImageHeader.CurrentVersion ? "the image header has another magic or version"u8
            : !IsAligned(header.SecureEnd, Block) || header.SecureEnd <= Virt.ImageHeaderBase ? "SecureEnd must be a 2 MiB boundary after the header"u8
            : !IsAligned(header.KernelBase, Block) || header.KernelBase < header.SecureEnd ? "the kernel must start at a 2 MiB boundary after SecureEnd"u8
            : header.KernelBytes == 0 || header.KernelBytes > ramBytes ? "the kernel is larger than RAM"u8
            : !IsAligned(header.InitramfsBase, Page) || header.InitramfsBase < header.KernelBase + header.KernelBytes ? "the initramfs overlaps the kernel"u8
            : header.InitramfsBytes > ramBytes ? "the initramfs is larger than RAM"u8
            : !IsAligned(header.PoolBytes, Block) || header.PoolBytes == 0 || header.PoolBytes >= ramBytes ? "the pool must be whole 2 MiB blocks and fit into RAM"u8
            : plan.PoolBase < plan.InitramfsEnd ? "RAM is too small: the secure pool would overlap the initramfs"u8
            : !IsTable(header.Components, header.ComponentCount, header.SecureEnd, 96) ? "the component table is outside the secure image"u8
            : !IsTable(header.Services, header.ServiceCount, header.SecureEnd, 256) ? "the service table is outside the secure image"u8
            : header.BootArgumentBytes > 2048 || !Inside(header.BootArguments, header.BootArgumentBytes, header.SecureEnd) ? "the kernel command line is outside the secure image or over 2048 bytes"u8
            : ((ulong)header.SkTextPages + header.SkRodataPages) * Page > Virt.SkSlotBytes || header.SkTextPages == 0 ? "SK's sections do not fit its slot"u8
            : default;
        return rule.IsEmpty;
    }

    /// <summary>Checks one segment of a component: inside the image, whole pages, never writable and executable.</summary>
    public static bool IsSegmentSound(in SegmentEntry segment, ulong secureEnd)
    {
        const MemoryAccess WriteExecute = MemoryAccess.Write | MemoryAccess.Execute;
        bool fileSound = segment.FileBytes == 0
            || (IsAligned(segment.PhysicalBase, Page) && Inside(segment.PhysicalBase, RoundUp(segment.FileBytes), secureEnd));
        return fileSound
            && segment.FileBytes <= segment.MemoryBytes
            && segment.MemoryBytes <= UserLayout.End
            && IsAligned(segment.VirtualBase, Page)
            && segment.VirtualBase + segment.MemoryBytes <= UserLayout.End
            && (segment.Access & WriteExecute) != WriteExecute
            && (segment.Access & ~(MemoryAccess.Read | WriteExecute)) == 0;
    }

    public static ulong RoundUp(ulong bytes) => (bytes + Page - 1) & ~(Page - 1);

    private static bool IsAligned(ulong value, ulong unit) => (value & (unit - 1)) == 0;

    private static bool IsTable(ulong start, uint count, ulong secureEnd, uint maximum) =>
        count <= maximum && IsAligned(start, 8) && Inside(start, count * 8ul, secureEnd);

    private static bool Inside(ulong start, ulong bytes, ulong secureEnd) =>
        start >= Virt.ImageHeaderBase && start <= secureEnd && bytes <= secureEnd - start;
}
