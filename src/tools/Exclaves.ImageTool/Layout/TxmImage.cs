using System;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.ImageTool.Elf;

namespace Exclaves.ImageTool.Layout;

/// <summary>TXM as it lies in its slot, and what SPTM must know of it.</summary>
public static class TxmImage
{
    private const ulong Page = UserLayout.PageBytes;

    /// <summary>What TXM must leave of its slot: its stack, and the page for the request.</summary>
    private const ulong ReservedBytes = 8 * Page;

    /// <summary>Reads the ELF and pins it in <paramref name="root"/>.</summary>
    /// <exception cref="ImageToolException">It is not linked by txm.ld, or does not fit.</exception>
    public static byte[] Read(string file, out TrustRoot root)
    {
        ElfFile elf = ElfFile.Read(file);
        if (!elf.TryGetSymbol("__text_end", out ulong text) || !elf.TryGetSymbol("__rodata_end", out ulong rodata) || !elf.TryGetSymbol("__image_end", out ulong end))
        {
            throw new ImageToolException(file, "symbols", "must be linked by eng/txm.ld and not stripped.");
        }

        if (elf.Entry != Virt.TxmBase || text <= Virt.TxmBase || rodata < text || end < rodata || end > Virt.TablesBase - ReservedBytes || (text | rodata) % Page != 0)
        {
            throw new ImageToolException(file, "layout", $"must start at 0x{Virt.TxmBase:X}, sections in order, and leave {ReservedBytes >> 10} KiB of its slot.");
        }

        byte[] content = new byte[Virt.TxmSlotBytes];
        foreach (ElfSegment segment in elf.Segments)
        {
            if (segment.Address < Virt.TxmBase || segment.Address + segment.MemoryBytes > end)
            {
                throw new ImageToolException(file, $"segment at 0x{segment.Address:X}", "lies outside the slot.");
            }

            elf.Content(segment).CopyTo(content.AsSpan((int)(segment.Address - Virt.TxmBase)));
        }

        root = new TrustRoot
        {
            Magic = TrustRoot.MagicValue,
            Version = TrustRoot.CurrentVersion,
            TxmTextPages = (uint)((text - Virt.TxmBase) / Page),
            TxmRodataPages = (uint)((rodata - text) / Page),
        };
        SHA256.HashData(content, root.Txm);
        return content;
    }
}
