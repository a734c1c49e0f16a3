using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Elf;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool.Layout;

/// <summary>Lays out the one file that boots the machine. Equal inputs give equal bytes.</summary>
/// <remarks>
/// <code>
/// Virt.ImageBase        SPTM (its arm64 Image header first)
/// Virt.SkBase           SK
/// Virt.ImageHeaderBase  ImageHeader (one page), command line (one page), manifest and signature, TXM's slot
/// Virt.TablesBase       component table, service table, then ExclaveKit and the components, page aligned
/// SecureEnd             Linux's kernel (2 MiB aligned), a gap for its bss, the initramfs (page aligned)
/// </code>
/// </remarks>
public sealed class ImageBuilder
{
    public const int MaxBootArgumentBytes = 2048;

    private const ulong Page = UserLayout.PageBytes;
    private const ulong Block = 2ul << 20;
    private const ulong DirectMapOffset = 0xFFFF_0000_0000_0000;

    private readonly SystemDescription _system;
    private readonly string _artifacts;
    private readonly List<(ulong Address, byte[] Content)> _pieces = [];
    private readonly List<ManifestPart> _parts = [];
    private readonly Dictionary<string, ulong> _shared = new(StringComparer.Ordinal);
    private ulong _next;
    private ulong _kit;
    private ulong _kitBytes;

    private ImageBuilder(SystemDescription system, string artifacts)
    {
        _system = system;
        _artifacts = artifacts;
    }

    /// <summary>Writes the image. The output file appears complete or not at all.</summary>
    /// <exception cref="ImageToolException">A rule is broken; the output is untouched.</exception>
    public static void Build(ImageRequest request)
    {
        SystemDescription system = SystemReader.Read(request.System);
        CheckMemory(system, request.RamBytes);
        ImageBuilder builder = new(system, request.Artifacts);
        builder.Lay(request);
        builder.Write(request.Output, request.Key);
    }

    /// <summary>SPTM's tables grow with RAM, and what is left of the pool is SK's.</summary>
    private static void CheckMemory(SystemDescription system, ulong ramBytes)
    {
        UInt128 needed = PoolPlan.SecureKernelBytes([.. system.Components.Select(c => PoolShare.Of(c.Flags, c.QuotaBytes, c.MaxThreads, c.Grants))]);
        needed += PoolPlan.MonitorBytes(ramBytes);
        if (needed > system.PoolBytes)
        {
            throw new ImageToolException(
                system.File, "$.pool", $"is {system.PoolBytes >> 20} MiB, and this system on a machine with {ramBytes >> 20} MiB of memory needs {(needed + (1 << 20) - 1) >> 20}.");
        }
    }

    private void Lay(ImageRequest request)
    {
        byte[] bootArguments = EncodeBootArguments(request.BootArguments);
        string sptmFile = request.Sptm ?? InArtifacts(_system.Sptm);
        byte[] sptm = ReadSptm(sptmFile);
        byte[] txm = TxmImage.Read(InArtifacts(_system.Txm), out TrustRoot root);
        ImageHeader header = default;
        byte[] sk = ReadSk(request.Sk ?? InArtifacts(_system.Sk), ref header);
        KernelImage kernel = KernelImage.Read(request.Kernel);
        byte[] initramfs = InputFile.Read(request.Initramfs);

        header.Magic = ImageHeader.MagicValue;
        header.Version = ImageHeader.CurrentVersion;
        header.PoolBytes = _system.PoolBytes;
        header.Policy = _system.Policy;
        header.ComponentCount = (uint)_system.Components.Count;
        header.ServiceCount = (uint)_system.Services.Count;
        header.BootArgumentBytes = (uint)bootArguments.Length;

        AddPart(PartKind.SecureKernel, "", Virt.SkBase, Virt.SkBase + Virt.SkSlotBytes);
        AddPart(PartKind.Header, "", Virt.ImageHeaderBase, Virt.BootArgumentsBase);
        AddPart(PartKind.BootArguments, "", Virt.BootArgumentsBase, Virt.ManifestBase);
        AddPart(PartKind.Txm, "", Virt.TxmBase, Virt.TablesBase);
        header.BootArguments = Virt.BootArgumentsBase;
        _next = Virt.TablesBase;
        header.Components = Reserve((ulong)Unsafe.SizeOf<ComponentEntry>() * header.ComponentCount, 8);
        header.Services = Reserve((ulong)Unsafe.SizeOf<ServiceEntry>() * header.ServiceCount, 8);
        _next = AlignUp(_next, Page);
        AddPart(PartKind.Tables, "", Virt.TablesBase, _next);
        PlaceKit();
        ComponentEntry[] components = [.. _system.Components.Select(LayComponent)];
        ServiceEntry[] services = [.. _system.Services.Select(ServiceOf)];

        header.SecureEnd = AlignUp(_next, Block);
        AddPart(PartKind.Padding, "", _next, header.SecureEnd);
        header.KernelBase = header.SecureEnd;
        header.KernelBytes = kernel.MemoryBytes;
        header.InitramfsBase = AlignUp(header.KernelBase + header.KernelBytes, Page);
        header.InitramfsBytes = (ulong)initramfs.Length;

        Arm64Image.SetSize(sptm, header.InitramfsBase + header.InitramfsBytes - Virt.ImageBase);
        root.MonitorBytes = (uint)sptm.Length;
        TrustRoots.Enroll(ref root, request.Key);
        MemoryMarshal.Write(sptm.AsSpan(TrustRoot.Offset), root);
        Put(Virt.SptmBase, sptm);
        Put(Virt.ManifestBase, EncodeManifest(header, bootArguments));
        Put(Virt.TxmBase, txm);
        Put(Virt.SkBase, sk);
        Put(Virt.ImageHeaderBase, MemoryMarshal.AsBytes(new ReadOnlySpan<ImageHeader>(in header)).ToArray());
        Put(header.Components, MemoryMarshal.AsBytes<ComponentEntry>(components).ToArray());
        Put(header.Services, MemoryMarshal.AsBytes<ServiceEntry>(services).ToArray());
        Put(header.BootArguments, bootArguments);
        Put(header.KernelBase, kernel.Content);
        Put(header.InitramfsBase, initramfs);
    }

    /// <summary>Notes a range that the manifest shall list; nothing when it is empty.</summary>
    private void AddPart(PartKind kind, string name, ulong start, ulong end)
    {
        if (end != start)
        {
            ManifestPart part = new() { Base = start, Bytes = end - start, Kind = kind };
            SetName(ref part.Name, name);
            _parts.Add(part);
        }
    }

    /// <summary>The manifest without digests and signature: ImageSigner adds both to the finished file.</summary>
    private byte[] EncodeManifest(in ImageHeader header, byte[] bootArguments)
    {
        ImageManifest manifest = new()
        {
            Magic = ImageManifest.MagicValue,
            Version = ImageManifest.CurrentVersion,
            PartCount = (uint)_parts.Count,
            BootArgumentBytes = (uint)bootArguments.Length,
            Header = header,
        };
        for (int i = 0; i < _parts.Count; i++)
        {
            manifest.Parts[i] = _parts[i];
        }

        bootArguments.CopyTo(manifest.BootArguments);
        byte[] place = new byte[Virt.ManifestBytes];
        MemoryMarshal.Write(place, manifest);
        return place;
    }

    private static byte[] EncodeBootArguments(string text)
    {
        if (text.Length > MaxBootArgumentBytes || text.Any(c => c is < ' ' or > '~'))
        {
            throw new ImageToolException("--append", "", $"must be at most {MaxBootArgumentBytes} printable ASCII characters.");
        }

        return Encoding.ASCII.GetBytes(text);
    }

    private static byte[] ReadSptm(string file)
    {
        byte[] content = InputFile.Read(file);
        if (!Arm64Image.HasMagic(content) || Arm64Image.TextOffset(content) != 0)
        {
            throw new ImageToolException(file, "", "must be a flat binary that starts with an arm64 Image header, text_offset 0.");
        }

        // The header that the linker filled in states the size with bss, which the flat file lacks.
        if (Math.Max((ulong)content.Length, Arm64Image.Size(content)) > Virt.SptmSlotBytes)
        {
            throw new ImageToolException(file, "", $"does not fit its slot of {Virt.SptmSlotBytes >> 20} MiB.");
        }

        if (!TrustRoots.HasSlot(content))
        {
            throw new ImageToolException(file, "", "has no slot for its root of trust behind the header (entry.S).");
        }

        return content;
    }

    private static byte[] ReadSk(string file, ref ImageHeader header)
    {
        ElfFile elf = ElfFile.Read(file);
        const ulong Base = Virt.SkBase + DirectMapOffset;
        ulong text = RequireSymbol(elf, "__text_end") - Base;
        ulong rodata = RequireSymbol(elf, "__rodata_end") - Base;
        ulong end = RequireSymbol(elf, "__image_end") - Base;
        if (text == 0 || text > rodata || rodata > end || end > Virt.SkSlotBytes || (text | rodata) % Page != 0)
        {
            throw new ImageToolException(file, "symbols", $"must be linked at 0x{Base:X} by sk.ld, sections in order and within {Virt.SkSlotBytes >> 20} MiB.");
        }

        if (elf.Entry != Base)
        {
            throw new ImageToolException(file, "entry", $"must be the first byte of the image, and is 0x{elf.Entry:X}.");
        }

        byte[] content = new byte[end];
        foreach (ElfSegment segment in elf.Segments)
        {
            if (segment.Address < Base || segment.Address + segment.MemoryBytes > Base + end)
            {
                throw new ImageToolException(file, $"segment at 0x{segment.Address:X}", "lies outside the slot.");
            }

            elf.Content(segment).CopyTo(content.AsSpan((int)(segment.Address - Base)));
        }

        header.SkTextPages = (uint)(text / Page);
        header.SkRodataPages = (uint)((rodata - text) / Page);
        return content;
    }

    private static ulong RequireSymbol(ElfFile elf, string name) =>
        elf.TryGetSymbol(name, out ulong value) ? value : throw new ImageToolException(elf.Name, "symbols", $"has no {name}: it must be linked by eng/sk.ld and not stripped.");

    /// <summary>ExclaveKit's own part of the image, which FrameMint can mint; the .NET components find its segments there.</summary>
    private void PlaceKit()
    {
        if (_system.Kit is null || _system.Components.All(component => (component.Flags & ComponentFlags.FrameMint) == 0))
        {
            return;
        }

        _kit = _next;
        List<PlannedSegment> segments = [];
        ComponentEntry unused = default;
        PlanFreestanding(ElfFile.Read(InArtifacts(_system.Kit)), ref unused, segments);
        foreach (PlannedSegment segment in segments)
        {
            PlaceSegment(segment);
        }

        _kitBytes = _next - _kit;
        AddPart(PartKind.Kit, "", _kit, _next);
    }

    private ComponentEntry LayComponent(ComponentDescription component)
    {
        ulong start = _next;
        ComponentEntry entry = new()
        {
            Kind = component.Kind,
            Flags = component.Flags,
            QuotaBytes = component.QuotaBytes,
            DonatedBytes = component.DonatedBytes,
            Threads = component.Threads,
            MaxThreads = component.MaxThreads,
            GrantCount = (uint)component.Grants.Count,
        };
        SetName(ref entry.Name, component.Name);
        for (int i = 0; i < component.Grants.Count; i++)
        {
            entry.Grants[i] = component.Grants[i];
            if (entry.Grants[i].Kind == GrantKind.Kit)
            {
                (entry.Grants[i].Argument, entry.Grants[i].Badge) = (_kit, _kitBytes);
            }
        }

        List<PlannedSegment> segments = [];
        ElfFile program = ElfFile.Read(InArtifacts(component.Program));
        if (component.Kind == ComponentKind.DotNet)
        {
            PlanProgram(program, ref entry, segments);
            program = ElfFile.Read(InArtifacts(_system.Kit!));
        }

        PlanFreestanding(program, ref entry, segments);
        if (segments.Count > ComponentEntry.MaxSegments)
        {
            throw new ImageToolException(_system.File, component.Place + ".program", $"has {segments.Count} segments; {ComponentEntry.MaxSegments} fit.");
        }

        CheckQuota(component, segments);
        entry.SegmentCount = (uint)segments.Count;
        for (int i = 0; i < segments.Count; i++)
        {
            entry.Segments[i] = PlaceSegment(segments[i]);
        }

        AddPart((component.Flags & ComponentFlags.Core) != 0 ? PartKind.Component : PartKind.Conclave, component.Name, start, _next);
        return entry;
    }

    private static void PlanFreestanding(ElfFile elf, ref ComponentEntry entry, List<PlannedSegment> segments)
    {
        if (elf.Type != ElfType.Executable)
        {
            throw new ImageToolException(elf.Name, "header", "must be linked at a fixed address by eng/component.ld.");
        }

        IReadOnlyList<PlannedSegment> planned = SegmentPlanner.Plan(elf, 0, UserLayout.ComponentBase, UserLayout.IpcPage);
        segments.AddRange(planned);
        entry.Entry = RequireEntry(elf, elf.Entry, planned);
    }

    private static void PlanProgram(ElfFile elf, ref ComponentEntry entry, List<PlannedSegment> segments)
    {
        if (elf.Type != ElfType.Shared || elf.HasInterpreter)
        {
            throw new ImageToolException(elf.Name, "header", "must be a static-pie: publish with StaticExecutable, without a dynamic loader.");
        }

        IReadOnlyList<PlannedSegment> planned = SegmentPlanner.Plan(elf, UserLayout.ProgramBase, UserLayout.ProgramBase, UserLayout.MmapBase);
        segments.AddRange(planned);
        entry.ProgramBase = UserLayout.ProgramBase;
        entry.ProgramEntry = RequireEntry(elf, elf.Entry + UserLayout.ProgramBase, planned);
        entry.ProgramHeaderCount = (ulong)elf.ProgramHeaderCount;

        // The start-up code finds its thread-local template through them, so they must be in memory.
        ElfSegment? holder = elf.Segments.FirstOrDefault(s =>
            elf.ProgramHeaderOffset >= s.Offset && elf.ProgramHeaderOffset + ((ulong)elf.ProgramHeaderCount * 56) <= s.Offset + s.FileBytes);
        if (holder is null)
        {
            throw new ImageToolException(elf.Name, "header", "has program headers that no segment loads.");
        }

        entry.ProgramHeaders = UserLayout.ProgramBase + holder.Address + (elf.ProgramHeaderOffset - holder.Offset);
    }

    private static ulong RequireEntry(ElfFile elf, ulong entry, IReadOnlyList<PlannedSegment> planned)
    {
        bool executable = planned.Any(s =>
            (s.Access & MemoryAccess.Execute) != 0 && entry >= s.VirtualBase && entry - s.VirtualBase < (ulong)s.Content.Length);
        return executable ? entry : throw new ImageToolException(elf.Name, "entry", $"0x{entry:X} is not in executable contents.");
    }

    /// <summary>Measured: with 16, 17 and 19 MiB in all the collector faults at its start, writing where it has committed nothing; 20 to 24, 26, 28 and 32 MiB are enough.</summary>
    private const ulong MinDotNetBytes = 20 << 20;

    /// <summary>Writable segments are copied into the component's own memory, so its quota must at least hold those and the stacks.</summary>
    private void CheckQuota(ComponentDescription component, List<PlannedSegment> segments)
    {
        ulong needed = (component.Threads * (UserLayout.StackBytes + Page)) + Page;
        needed += (component.Flags & ComponentFlags.LentBuffers) != 0 ? (component.Threads + 1) * Page : 0;
        if ((component.Flags & ComponentFlags.Proxy) != 0)
        {
            needed += AlignUp((ulong)Unsafe.SizeOf<ServiceEntry>() * (ulong)_system.Services.Count, Page);
        }

        foreach (PlannedSegment segment in segments.Where(s => (s.Access & MemoryAccess.Write) != 0))
        {
            needed += segment.MemoryBytes;
        }

        if (needed > component.QuotaBytes)
        {
            throw new ImageToolException(
                _system.File,
                component.Place + ".quota",
                $"is {component.QuotaBytes >> 10} KiB, and stacks and writable segments alone need {needed >> 10} KiB.");
        }

        if (component.Kind == ComponentKind.DotNet && component.QuotaBytes + component.DonatedBytes < MinDotNetBytes)
        {
            throw new ImageToolException(
                _system.File,
                component.Place + ".quota",
                $"is {component.QuotaBytes >> 20} MiB, and the collector of a .NET program needs {MinDotNetBytes >> 20} MiB to start, with what it may have of Linux: \"donated\": \"64 MiB\".");
        }
    }

    /// <summary>Equal contents are stored once: SK maps what is read-only in place and copies the rest.</summary>
    private SegmentEntry PlaceSegment(PlannedSegment segment)
    {
        SegmentEntry entry = new()
        {
            VirtualBase = segment.VirtualBase,
            FileBytes = (ulong)segment.Content.Length,
            MemoryBytes = segment.MemoryBytes,
            Access = segment.Access,
        };
        if (segment.Content.Length == 0)
        {
            return entry;
        }

        string digest = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(segment.Content));
        if (!_shared.TryGetValue(digest, out ulong address))
        {
            address = Reserve(SegmentPlanner.RoundUp((ulong)segment.Content.Length), Page);
            Put(address, segment.Content);
            _shared.Add(digest, address);
        }

        entry.PhysicalBase = address;
        return entry;
    }

    private ServiceEntry ServiceOf(ServiceDescription service)
    {
        Span<byte> uuid = stackalloc byte[16];
        _ = service.Uuid.TryWriteBytes(uuid, bigEndian: true, out _);
        ServiceEntry entry = new()
        {
            UuidLow = MemoryMarshal.Read<ulong>(uuid),
            UuidHigh = MemoryMarshal.Read<ulong>(uuid[8..]),
            Component = (uint)service.Component,
            ProxySlot = service.ProxySlot,
            OnBus = service.OnBus ? 1u : 0u,
            LentBuffers = (_system.Components[service.Component].Flags & ComponentFlags.LentBuffers) != 0 ? 1u : 0u,
        };
        SetName(ref entry.Name, service.Name);
        return entry;
    }

    private static void SetName(ref Name64 target, string name) => Encoding.ASCII.GetBytes(name, target);

    private string InArtifacts(string path) => Path.Combine(_artifacts, path);

    private ulong Reserve(ulong bytes, ulong alignment)
    {
        ulong address = AlignUp(_next, alignment);
        _next = address + bytes;
        return address;
    }

    private void Put(ulong address, byte[] content) => _pieces.Add((address, content));

    private void Write(string output, SigningKey key)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
        Directory.CreateDirectory(folder);
        string draft = output + ".part";
        try
        {
            using (FileStream stream = new(draft, FileMode.Create, FileAccess.Write))
            {
                foreach ((ulong address, byte[] content) in _pieces.OrderBy(p => p.Address).ThenBy(p => p.Content.Length))
                {
                    // Gaps become zeros.
                    stream.Position = (long)(address - Virt.ImageBase);
                    stream.Write(content);
                }
            }

            ImageSigner.Sign(draft, key);

            File.Move(draft, output, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}
