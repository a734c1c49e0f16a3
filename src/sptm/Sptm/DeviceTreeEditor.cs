using System;
using System.Buffers.Binary;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What Linux's device tree must say beyond the firmware's.</summary>
public ref struct DeviceTreeEdits
{
    public ulong ImageBase;
    public ulong ImageBytes;
    public ulong PoolBase;
    public ulong PoolBytes;
    public ulong InitramfsBase;
    public ulong InitramfsEnd;
    public ReadOnlySpan<byte> BootArguments;

    /// <summary>The memory of <see cref="FirmwareLog"/>.</summary>
    public ulong LogBase;
    public ulong LogBytes;

    /// <summary>NotSupported: the TEE is not announced, and <see cref="Reason"/> says why.</summary>
    public ExclavesStatus Status;
    public ReadOnlySpan<byte> Reason;
}

/// <summary>Rewrites the firmware's device tree for Linux in one pass: secure devices hidden, memory reserved, the TEE announced.</summary>
/// <remarks>Hidden: everything that could write memory past stage 2 or belongs to the secure world (DESIGN I4, docs/threat-model.md).</remarks>
public static class DeviceTreeEditor
{
    /// <summary>Names of our properties, appended to the strings block; the offsets below count from its start.</summary>
    private static ReadOnlySpan<byte> NewStrings => "compatible\0method\0no-map\0reg\0ranges\0#address-cells\0#size-cells\0bootargs\0linux,initrd-start\0linux,initrd-end\0exclaves,status\0exclaves,reason\0dma-ranges\0interrupts\0"u8;

    private const uint Compatible = 0;
    private const uint Method = 11;
    private const uint NoMap = 18;
    private const uint Reg = 25;
    private const uint Ranges = 29;
    private const uint AddressCells = 36;
    private const uint SizeCells = 51;
    private const uint BootArgs = 63;
    private const uint InitrdStart = 72;
    private const uint InitrdEnd = 91;
    private const uint StatusName = 108;
    private const uint ReasonName = 124;
    private const uint DmaRanges = 140;
    private const uint Interrupts = 151;

    /// <summary>First word of a PCI address: 32-bit memory space (IEEE 1275 PCI binding, 2.2.1.1).</summary>
    private const uint PciMemory = 0x0200_0000;

    private const int ReservationBytes = 16;
    private const uint FormatVersion = 17;
    private const uint CompatibleVersion = 16;

    /// <summary>Builds the new tree in <paramref name="output"/>.</summary>
    /// <param name="rule">What was wrong, when the answer is false.</param>
    public static bool TryEdit(
        ReadOnlySpan<byte> input, Span<byte> output, in DeviceTreeEdits edits, out int length, out ReadOnlySpan<byte> rule)
    {
        length = 0;
        rule = "the device tree is malformed"u8;
        if (!DeviceTreeReader.TryOpen(input, out DeviceTreeReader reader))
        {
            return false;
        }

        const int StructureOffset = DeviceTreeReader.HeaderBytes + ReservationBytes;
        DeviceTreeWriter writer = new(output[StructureOffset..], (uint)reader.Strings.Length);
        if (!TryCopy(ref reader, ref writer, edits, out bool taken))
        {
            rule = taken ? "the firmware's device tree already has /firmware or /reserved-memory"u8 : rule;
            return false;
        }

        int structureBytes = writer.Length;
        int stringsOffset = StructureOffset + structureBytes;
        int stringsBytes = reader.Strings.Length + NewStrings.Length;
        if (writer.Overflowed || stringsOffset + stringsBytes > output.Length)
        {
            rule = "the edited device tree does not fit"u8;
            return false;
        }

        reader.Strings.CopyTo(output[stringsOffset..]);
        NewStrings.CopyTo(output[(stringsOffset + reader.Strings.Length)..]);
        length = stringsOffset + stringsBytes;
        WriteHeader(input, output, length, StructureOffset, structureBytes, stringsOffset, stringsBytes);
        rule = default;
        return true;
    }

    public static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> prefix) =>
        text.Length >= prefix.Length && text[..prefix.Length].SequenceEqual(prefix);

    /// <summary>Nodes that Linux must not find.</summary>
    private static bool IsHidden(ReadOnlySpan<byte> name) =>
        StartsWith(name, "fw-cfg@"u8) || StartsWith(name, "virtio_mmio@"u8) || StartsWith(name, "flash@"u8)
        || StartsWith(name, "its@"u8) || StartsWith(name, "v2m@"u8) || StartsWith(name, "smmuv3@"u8);

    /// <summary>The PCI host bridge of the machine.</summary>
    public static bool IsPci(ReadOnlySpan<byte> name) => StartsWith(name, "pcie@"u8);

    private static bool IsOurs(ReadOnlySpan<byte> name) => name.SequenceEqual("firmware"u8) || name.SequenceEqual("reserved-memory"u8);

    /// <param name="taken">A node that is ours to add is there already.</param>
    private static bool TryCopy(scoped ref DeviceTreeReader reader, scoped ref DeviceTreeWriter writer, scoped in DeviceTreeEdits edits, out bool taken)
    {
        taken = false;
        int hiddenDepth = 0;
        bool inChosen = false;
        while (true)
        {
            DeviceTreeToken token = reader.Next();
            if (token == DeviceTreeToken.Malformed)
            {
                return false;
            }

            if (hiddenDepth != 0)
            {
                hiddenDepth = token == DeviceTreeToken.EndNode && reader.Depth < hiddenDepth ? 0 : hiddenDepth;
                continue;
            }

            switch (token)
            {
                case DeviceTreeToken.BeginNode when reader.Depth > 1 && IsHidden(reader.Name):
                    hiddenDepth = reader.Depth;
                    break;
                case DeviceTreeToken.BeginNode:
                    taken = reader.Depth == 2 && IsOurs(reader.Name);
                    if (taken)
                    {
                        return false;
                    }

                    writer.BeginNode(reader.Name);
                    inChosen = reader.Depth == 2 && reader.Name.SequenceEqual("chosen"u8);
                    if (inChosen)
                    {
                        WriteChosen(ref writer, edits);
                    }
                    else if (reader.Depth == 2 && IsPci(reader.Name))
                    {
                        writer.NewWindow(DmaRanges, PciMemory, DmaWindow.Base, DmaWindow.Bytes);
                    }

                    break;
                case DeviceTreeToken.Property:
                    CopyProperty(ref reader, ref writer, inChosen);
                    break;
                case DeviceTreeToken.EndNode:
                    inChosen = false;
                    if (reader.Depth == 0)
                    {
                        WriteReserved(ref writer, edits);
                        WriteFirmware(ref writer, edits);
                    }

                    writer.EndNode();
                    break;
                case DeviceTreeToken.End:
                    writer.End();
                    return true;
                default:
                    break;
            }
        }
    }

    private static void CopyProperty(scoped ref DeviceTreeReader reader, scoped ref DeviceTreeWriter writer, bool inChosen)
    {
        // The SMMU and the ITS that these name are hidden; dma-ranges is ours.
        if (reader.Name.SequenceEqual("iommu-map"u8) || reader.Name.SequenceEqual("msi-map"u8) || reader.Name.SequenceEqual("msi-parent"u8)
            || reader.Name.SequenceEqual("dma-ranges"u8))
        {
            return;
        }

        if (inChosen)
        {
            if (reader.Name.SequenceEqual("bootargs"u8) || StartsWith(reader.Name, "linux,initrd"u8))
            {
                return;
            }

            if (reader.Name.SequenceEqual("rng-seed"u8) && reader.Value.Length >= 32)
            {
                // The first half went to SK's cookies; Linux gets the other.
                writer.Property(reader.NameOffset, reader.Value[16..]);
                return;
            }
        }

        writer.Property(reader.NameOffset, reader.Value);
    }

    private static void WriteChosen(scoped ref DeviceTreeWriter writer, scoped in DeviceTreeEdits edits)
    {
        writer.NewText(BootArgs, edits.BootArguments);
        if (edits.InitramfsEnd > edits.InitramfsBase)
        {
            writer.NewWide(InitrdStart, edits.InitramfsBase);
            writer.NewWide(InitrdEnd, edits.InitramfsEnd);
        }
    }

    private static void WriteReserved(scoped ref DeviceTreeWriter writer, scoped in DeviceTreeEdits edits)
    {
        writer.BeginNode("reserved-memory"u8);
        writer.NewWord(AddressCells, 2);
        writer.NewWord(SizeCells, 2);
        writer.NewEmpty(Ranges);
        WriteRegion(ref writer, "exclaves-image"u8, edits.ImageBase, edits.ImageBytes);
        WriteRegion(ref writer, "exclaves-pool"u8, edits.PoolBase, edits.PoolBytes);
        writer.EndNode();
    }

    private static void WriteRegion(scoped ref DeviceTreeWriter writer, scoped ReadOnlySpan<byte> name, ulong start, ulong bytes)
    {
        writer.BeginNode(name, start);
        writer.NewRange(Reg, start, bytes);
        writer.NewEmpty(NoMap);
        writer.EndNode();
    }

    /// <summary>What Linux finds under /firmware: how far the secure world is, and the TEE where there is one.</summary>
    private static void WriteFirmware(scoped ref DeviceTreeWriter writer, scoped in DeviceTreeEdits edits)
    {
        writer.BeginNode("firmware"u8);
        writer.NewEmpty(Ranges);
        writer.BeginNode("exclaves"u8);
        writer.NewWord(StatusName, (uint)edits.Status);
        if (!edits.Reason.IsEmpty)
        {
            writer.NewText(ReasonName, edits.Reason);
        }

        writer.EndNode();
        if (edits.Status != ExclavesStatus.NotSupported)
        {
            writer.BeginNode("optee"u8);
            writer.NewText(Compatible, "linaro,optee-tz"u8);
            writer.NewText(Method, "hvc"u8);
            writer.NewEdgeInterrupt(Interrupts, Virt.NotificationInterrupt);
            writer.EndNode();
        }

        writer.BeginNode("coreboot"u8);
        writer.NewText(Compatible, "coreboot"u8);
        writer.NewRange(Reg, edits.LogBase, edits.LogBytes);
        writer.EndNode();

        writer.EndNode();
    }

    private static void WriteHeader(
        ReadOnlySpan<byte> input, Span<byte> output, int total, int structureOffset, int structureBytes, int stringsOffset, int stringsBytes)
    {
        Span<uint> words =
        [
            DeviceTreeReader.Magic,
            (uint)total,
            (uint)structureOffset,
            (uint)stringsOffset,
            DeviceTreeReader.HeaderBytes,
            FormatVersion,
            CompatibleVersion,
            BinaryPrimitives.ReadUInt32BigEndian(input[28..]),
            (uint)stringsBytes,
            (uint)structureBytes,
        ];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(output[(i * sizeof(uint))..], words[i]);
        }

        output.Slice(DeviceTreeReader.HeaderBytes, ReservationBytes).Clear();
    }
}
