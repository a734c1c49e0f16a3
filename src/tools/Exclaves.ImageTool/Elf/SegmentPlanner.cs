using System;
using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Elf;

/// <summary>Whole pages of a component: contents (which start at the first page) and how much memory they become.</summary>
public sealed record PlannedSegment(ulong VirtualBase, byte[] Content, ulong MemoryBytes, MemoryAccess Access);

/// <summary>Turns an ELF file's segments into whole pages, as SK maps them.</summary>
public static class SegmentPlanner
{
    /// <summary>More than any quota; keeps the arithmetic below within an int.</summary>
    private const ulong MaxSegmentBytes = 1ul << 30;

    private const ulong Page = UserLayout.PageBytes;

    /// <param name="bias">Added to every address: the load base of a static-pie.</param>
    /// <param name="low">First address that the component may use.</param>
    /// <param name="high">First address after those.</param>
    /// <exception cref="ImageToolException">A segment lies elsewhere, or two that differ in access share a page.</exception>
    public static IReadOnlyList<PlannedSegment> Plan(ElfFile elf, ulong bias, ulong low, ulong high)
    {
        List<PlannedSegment> planned = [];
        foreach (ElfSegment segment in elf.Segments)
        {
            string place = $"segment at 0x{segment.Address:X}";
            ulong address = segment.Address + bias;
            if (address < low || address >= high || segment.MemoryBytes > high - address)
            {
                throw new ImageToolException(elf.Name, place, $"must lie within 0x{low:X}..0x{high:X}, and would lie at 0x{address:X}.");
            }

            if (segment.MemoryBytes > MaxSegmentBytes)
            {
                throw new ImageToolException(elf.Name, place, $"must not be larger than {MaxSegmentBytes >> 20} MiB.");
            }

            // SK maps nothing that cannot be read.
            MemoryAccess access = segment.Access | MemoryAccess.Read;
            PlannedSegment next = Whole(address, elf.Content(segment), segment.MemoryBytes, access);
            if (planned.Count > 0 && planned[^1] is { } last && last.VirtualBase + last.MemoryBytes > next.VirtualBase)
            {
                if (last.Access != next.Access)
                {
                    throw new ImageToolException(elf.Name, place, "shares a page with a segment of other access.");
                }

                planned[^1] = Join(last, next);
                continue;
            }

            planned.Add(next);
        }

        return planned;
    }

    private static PlannedSegment Whole(ulong address, ReadOnlySpan<byte> content, ulong memoryBytes, MemoryAccess access)
    {
        ulong start = address & ~(Page - 1);
        int lead = (int)(address - start);
        byte[] bytes = content.IsEmpty ? [] : new byte[lead + content.Length];
        content.CopyTo(bytes.AsSpan(content.IsEmpty ? 0 : lead));
        return new PlannedSegment(start, bytes, RoundUp((ulong)lead + memoryBytes), access);
    }

    /// <summary>Two neighbours on one page, equal in access.</summary>
    private static PlannedSegment Join(PlannedSegment first, PlannedSegment second)
    {
        int offset = (int)(second.VirtualBase - first.VirtualBase);
        byte[] bytes = new byte[Math.Max(first.Content.Length, second.Content.Length == 0 ? 0 : offset + second.Content.Length)];
        first.Content.CopyTo(bytes, 0);

        // The first page of the second holds zeros up to its own address, so neither overwrites the other.
        for (int i = 0; i < second.Content.Length; i++)
        {
            bytes[offset + i] |= second.Content[i];
        }

        return first with { Content = bytes, MemoryBytes = (ulong)offset + second.MemoryBytes };
    }

    public static ulong RoundUp(ulong bytes) => (bytes + Page - 1) & ~(Page - 1);
}
