using System;

namespace Exclaves.Sptm.Model;

/// <summary>Where things lie in the model's memory: two blocks of RAM around the end of the DMA window, and the monitor's tables.</summary>
internal static class Place
{
    public const ulong Page = FrameTable.PageBytes;
    public const ulong Block = 512 * Page;
    public const ulong Gigabyte = 512 * Block;

    public const ulong RamBase = DmaWindow.Limit - Block;
    public const int RamFrames = 1024;

    /// <summary>Two pages for each root, then the pool.</summary>
    public const ulong LinuxRoot = 0x1_0000_0000;
    public const ulong SecureRoot = LinuxRoot + (2 * Page);
    public const ulong Pool = SecureRoot + (2 * Page);
    public const int RootPages = 4;

    /// <summary>Memory of the monitor, of SK, of Linux where devices reach; above that two frames of Linux in one block.</summary>
    public const ulong Tables = DmaWindow.Limit - (3 * Page);
    public const ulong Private = DmaWindow.Limit - (2 * Page);
    public const ulong Window = DmaWindow.Limit - Page;
    public const ulong First = DmaWindow.Limit;
    public const ulong Second = DmaWindow.Limit + Page;

    public static ReadOnlySpan<ulong> Frames => new ulong[] { Tables, Private, Window, First, Second };

    public static ushort Vmid(World world) => (ushort)(world + 1);

    public static World WorldOf(ushort vmid) => (World)(vmid - 1);

    public static ulong Root(World world) => world == World.Linux ? LinuxRoot : SecureRoot;

    /// <summary>Bytes that an entry of a table of this level translates.</summary>
    public static ulong Reach(int level) => 1ul << (39 - (9 * level));

    public static ulong Base(ulong address, int level) => address & ~(Reach(level) - 1);
}
