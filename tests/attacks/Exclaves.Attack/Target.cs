using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Attack;

/// <summary>A piece of the secure world, one for each kind of frame.</summary>
/// <param name="Read">Address to read: where the value says most.</param>
/// <param name="Write">Address to write on an open image: where a change that is put back at once does no harm.</param>
/// <param name="Bytes">Width of accesses.</param>
internal sealed record Target(string Name, ulong Read, ulong Write, int Bytes)
{
    private const ulong Page = 4096;
    private const string DeviceTree = "/proc/device-tree/reserved-memory";

    public bool IsDevice => Read < Virt.RamBase;

    public static List<Target> Find(IReadOnlyList<ComponentReport> components)
    {
        List<(ulong Base, ulong Bytes)> reserved = Reserved();
        List<Target> targets =
        [
            // The arm64 image header opens SPTM's text: offset 0x38 holds its magic number, 0x20 a reserved word.
            new("sptm.text", Virt.SptmBase + 0x38, Virt.SptmBase + 0x20, sizeof(ulong)),
            Plain("sptm.data", Virt.SptmBase + Virt.SptmSlotBytes - Page),
            Plain("sk.text", Virt.SkBase),
            Plain("sk.data", Virt.SkBase + Virt.SkSlotBytes - Page),
            new("image.header", Virt.ImageHeaderBase, Virt.ImageHeaderBase + Page - sizeof(ulong), sizeof(ulong)),
            Plain("component.image", Virt.ImageHeaderBase + (16 * Page)),
        ];
        foreach (ComponentReport component in components)
        {
            ComponentStatus status = component.Status;
            if (status.UntypedBytes != 0)
            {
                targets.Add(Plain($"heap.{component.Name}", status.UntypedBase + (status.UsedBytes / 2 & ~(Page - 1))));
            }
        }

        foreach ((ulong start, ulong bytes) in reserved.Where(range => range.Base > Virt.ImageHeaderBase))
        {
            targets.Add(Plain("pool.first", start));
            targets.Add(Plain("pool.last", start + bytes - Page));

            // The frame table, 4 bytes for each frame of RAM, opens the pool; the SMMU's tables follow it.
            ulong frameTable = RamBytes() / Page * sizeof(uint);
            targets.Add(Plain("smmu.tables", start + ((frameTable + 0x1FFF) & ~0x1FFFul)));
        }

        // Register 0 of a virtio-mmio slot is its magic number, 0x70 the status that a driver may set.
        targets.Add(new("device.entropy", Virt.EntropyDevice, Virt.EntropyDevice + 0x70, sizeof(uint)));

        return targets;
    }

    // A word near the end of the page: the start of a page is where tables and headers are.
    private static Target Plain(string name, ulong page) => new(name, page, page + Page - sizeof(ulong), sizeof(ulong));

    private static ulong RamBytes()
    {
        const string Node = "/proc/device-tree/memory@40000000/reg";
        return File.Exists(Node) ? BinaryPrimitives.ReadUInt64BigEndian(File.ReadAllBytes(Node).AsSpan(sizeof(ulong))) : 0;
    }

    private static List<(ulong Base, ulong Bytes)> Reserved()
    {
        List<(ulong, ulong)> ranges = [];
        if (!Directory.Exists(DeviceTree))
        {
            return ranges;
        }

        foreach (string node in Directory.GetDirectories(DeviceTree))
        {
            string file = Path.Combine(node, "reg");
            byte[] cells = File.Exists(file) ? File.ReadAllBytes(file) : [];
            for (int at = 0; at + 16 <= cells.Length; at += 16)
            {
                ranges.Add((BinaryPrimitives.ReadUInt64BigEndian(cells.AsSpan(at)), BinaryPrimitives.ReadUInt64BigEndian(cells.AsSpan(at + 8))));
            }
        }

        return ranges;
    }
}
