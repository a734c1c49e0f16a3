using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>First page after the SK slot: what the image holds and where. Written by the image tool, checked by SPTM.</summary>
/// <remarks>Addresses are physical. <see cref="ComponentEntry"/> and <see cref="ServiceEntry"/> tables follow in the same region.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ImageHeader
{
    public const ulong MagicValue = 0x3147_4D49_4C43_5845; // "EXCLIMG1", little endian
    public const uint CurrentVersion = 1;

    public ulong Magic;
    public uint Version;
    public uint ComponentCount;
    public uint ServiceCount;

    /// <summary>Bytes of the kernel command line at <see cref="BootArguments"/>, without a terminator.</summary>
    public uint BootArgumentBytes;
    public ulong BootArguments;

    /// <summary>First byte after all secure content; 2 MiB aligned. The Linux kernel starts here.</summary>
    public ulong SecureEnd;
    public ulong KernelBase;

    /// <summary>The kernel's own image_size: includes its bss.</summary>
    public ulong KernelBytes;
    public ulong InitramfsBase;
    public ulong InitramfsBytes;

    /// <summary>Bytes at the top of RAM that belong to the secure world; multiple of 2 MiB.</summary>
    public ulong PoolBytes;
    public ulong Components;
    public ulong Services;

    /// <summary>Pages of SK's own sections within its slot: text (rx), rodata (r), the rest rw. Counted from <see cref="Virt.SkBase"/>.</summary>
    public uint SkTextPages;
    public uint SkRodataPages;
    public ImagePolicy Policy;
    public uint Reserved;
}
