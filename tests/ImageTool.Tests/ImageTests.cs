using System;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Exclaves.Abi;
using Exclaves.ImageTool.Layout;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>What lies where in a finished image.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly Workshop _workshop = new();

    [Fact]
    public void TheHeaderDescribesTheFile()
    {
        byte[] image = _workshop.Build();
        ImageHeader header = At<ImageHeader>(image, Virt.ImageHeaderBase);

        Assert.Equal(ImageHeader.MagicValue, header.Magic);
        Assert.Equal("EXCLIMG1"u8, image.AsSpan((int)(Virt.ImageHeaderBase - Virt.ImageBase), 8));
        Assert.Equal(ImageHeader.CurrentVersion, header.Version);
        Assert.Equal(5u, header.ComponentCount);
        Assert.Equal(2u, header.ServiceCount);
        Assert.Equal(64ul << 20, header.PoolBytes);
        Assert.Equal(2u, header.SkTextPages);
        Assert.Equal(1u, header.SkRodataPages);
        Assert.Equal(0ul, header.SecureEnd % (2 << 20));
        Assert.Equal(header.SecureEnd, header.KernelBase);
        Assert.Equal(0x20_1000ul, header.KernelBytes);
        Assert.Equal(header.KernelBase + 0x20_1000, header.InitramfsBase);
        Assert.Equal(5ul, header.InitramfsBytes);
        Assert.Equal("console=ttyAMA0", Encoding.ASCII.GetString(Bytes(image, header.BootArguments, header.BootArgumentBytes)));
        Assert.Equal([1, 2, 3, 4, 5], Bytes(image, header.InitramfsBase, 5).ToArray());
        Assert.Equal((ulong)image.Length, header.InitramfsBase + 5 - Virt.ImageBase);
    }

    [Fact]
    public void AStopOnPanicIsInTheSignedHeader()
    {
        Assert.Equal(ImagePolicy.None, At<ImageHeader>(_workshop.Build(), Virt.ImageHeaderBase).Policy);
        string system = File.ReadAllText(_workshop.At("system.json"));
        _workshop.Put("system.json", Encoding.UTF8.GetBytes(system.Insert(system.IndexOf('{') + 1, "\"stopOnPanic\": true, ")));
        byte[] image = _workshop.Build();
        Assert.Equal(ImagePolicy.StopOnPanic, At<ImageHeader>(image, Virt.ImageHeaderBase).Policy);
        Assert.Equal(ImagePolicy.StopOnPanic, At<ImageManifest>(image, Virt.ManifestBase).Header.Policy);
    }

    [Fact]
    public void TheFileIsAnArm64ImageAsLargeAsItsContents()
    {
        byte[] image = _workshop.Build();
        Assert.True(Arm64Image.HasMagic(image));
        Assert.Equal(0ul, Arm64Image.TextOffset(image));
        Assert.Equal((ulong)image.Length, Arm64Image.Size(image));
    }

    [Fact]
    public void TheSecureKernelLiesInItsSlotWithItsBssZero()
    {
        byte[] image = _workshop.Build();
        ReadOnlySpan<byte> slot = Bytes(image, Virt.SkBase, Virt.SkSlotBytes);
        Assert.True(slot[..0x2000].IndexOfAnyExcept((byte)0x11) < 0);
        Assert.True(slot[0x2000..0x3000].IndexOfAnyExcept((byte)0x22) < 0);
        Assert.True(slot[0x3000..0x4000].IndexOfAnyExcept((byte)0x33) < 0);
        Assert.True(slot[0x4000..].IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void AComponentHasWholePagesAndNeverWritableCode()
    {
        byte[] image = _workshop.Build();
        ImageHeader header = At<ImageHeader>(image, Virt.ImageHeaderBase);
        foreach (ComponentEntry component in Components(image, header))
        {
            for (int i = 0; i < (int)component.SegmentCount; i++)
            {
                SegmentEntry segment = component.Segments[i];
                Assert.Equal(0ul, segment.VirtualBase % 4096);
                Assert.Equal(0ul, segment.PhysicalBase % 4096);
                Assert.Equal(0ul, segment.MemoryBytes % 4096);
                Assert.True(segment.FileBytes <= segment.MemoryBytes);
                Assert.True(segment.PhysicalBase + segment.FileBytes <= header.SecureEnd);
                Assert.NotEqual(MemoryAccess.Write | MemoryAccess.Execute, segment.Access & (MemoryAccess.Write | MemoryAccess.Execute));
                Assert.NotEqual(MemoryAccess.None, segment.Access & MemoryAccess.Read);
            }
        }
    }

    [Fact]
    public void AProgramIsPlacedBesideTheKit()
    {
        byte[] image = _workshop.Build();
        ImageHeader header = At<ImageHeader>(image, Virt.ImageHeaderBase);
        ComponentEntry program = Components(image, header)[2];

        Assert.Equal(ComponentKind.DotNet, program.Kind);
        Assert.Equal(UserLayout.ComponentBase, program.Entry);
        Assert.Equal(UserLayout.ProgramBase, program.ProgramBase);
        Assert.Equal(UserLayout.ProgramBase + 0x2100, program.ProgramEntry);
        Assert.Equal(UserLayout.ProgramBase + 64, program.ProgramHeaders);
        Assert.Equal(4ul, program.ProgramHeaderCount);

        // Three of the program, for its two writable parts share a page, and three of the kit.
        Assert.Equal(6u, program.SegmentCount);
        SegmentEntry data = program.Segments[2];
        Assert.Equal(UserLayout.ProgramBase + 0x5000, data.VirtualBase);
        Assert.Equal(0x3000ul, data.MemoryBytes);
        ReadOnlySpan<byte> page = Bytes(image, data.PhysicalBase, data.FileBytes);
        Assert.True(page[..0x50].IndexOfAnyExcept((byte)0) < 0);
        Assert.True(page[0x50..0x150].IndexOfAnyExcept((byte)0x99) < 0);
        Assert.True(page[0x150..].IndexOfAnyExcept((byte)0xAA) < 0);
        Assert.Equal(0x1D0, page.Length);
    }

    [Fact]
    public void EqualContentsAreStoredOnce()
    {
        byte[] image = _workshop.Build();
        ComponentEntry[] components = Components(image, At<ImageHeader>(image, Virt.ImageHeaderBase));
        Assert.Equal(components[0].Segments[0].PhysicalBase, components[1].Segments[0].PhysicalBase);
        Assert.NotEqual(components[0].Segments[0].PhysicalBase, components[2].Segments[3].PhysicalBase);
    }

    [Fact]
    public void GrantsAndServicesNameSlotsThatExist()
    {
        byte[] image = _workshop.Build();
        ImageHeader header = At<ImageHeader>(image, Virt.ImageHeaderBase);
        ComponentEntry[] components = Components(image, header);
        ServiceEntry[] services = MemoryMarshal.Cast<byte, ServiceEntry>(Bytes(image, header.Services, (ulong)(2 * Unsafe.SizeOf<ServiceEntry>()))).ToArray();

        Assert.Equal(
            [
                (GrantKind.Downcall, 2u, 0ul, 0ul),
                (GrantKind.Counters, 3u, 0ul, 0ul),
                (GrantKind.Endpoint, MintSlots.Proxy, 4ul, ComponentEntry.ProxyBadge),
            ],
            Grants(components[0]));
        Assert.Equal([(GrantKind.Device, 2u, Virt.EntropyDevice, 0ul), (GrantKind.DmaAddress, 3u, 0ul, 0ul)], Grants(components[1]));
        Assert.Equal([(GrantKind.Endpoint, 5u, 1ul, 77ul)], Grants(components[2]));
        Assert.Equal([(GrantKind.Endpoint, 4u, 1ul, 4ul), (GrantKind.Untyped, 6u, 64ul << 10, 0ul), (GrantKind.Counters, 7u, 0ul, 0ul)], Grants(components[3]));
        Assert.Equal([(GrantKind.Kit, MintSlots.Kit, 0x4062_2000ul, 0x4000ul), (GrantKind.UntypedRest, MintSlots.Rest, 0ul, 0ul)], Grants(components[4]));
        Assert.Equal([1u, 1u, 1u, 3u, 1u], components.Select(c => c.Threads));
        Assert.Equal(0x7766_5544_3322_1100ul, services[0].UuidLow);
        Assert.Equal(0xFFEE_DDCC_BBAA_9988ul, services[0].UuidHigh);
        Assert.Equal((2u, 66u, 1u), (services[0].Component, services[0].ProxySlot, services[0].OnBus));
        Assert.Equal((1u, 65u, 0u), (services[1].Component, services[1].ProxySlot, services[1].OnBus));
    }

    /// <summary>What FrameMint may mint is a part that the manifest measures, to the byte, and holds what .NET components have of ExclaveKit.</summary>
    [Fact]
    public void TheKitThatCanBeMintedIsTheMeasuredPart()
    {
        byte[] image = _workshop.Build();
        ComponentEntry[] components = Components(image, At<ImageHeader>(image, Virt.ImageHeaderBase));
        GrantEntry kit = components[4].Grants[0];
        ImageManifest manifest = At<ImageManifest>(image, Virt.ManifestBase);
        ManifestPart part = ((ReadOnlySpan<ManifestPart>)manifest.Parts).ToArray().Single(p => p.Kind == PartKind.Kit);
        Assert.Equal((part.Base, part.Bytes), (kit.Argument, kit.Badge));
        Assert.All(
            Enumerable.Range(0, (int)components[2].SegmentCount).Select(i => components[2].Segments[i]).Where(s => s.VirtualBase >= UserLayout.ComponentBase),
            s => Assert.True(s.PhysicalBase >= part.Base && s.PhysicalBase + s.FileBytes <= part.Base + part.Bytes));
    }

    /// <summary>But for the signature: ECDSA draws a number for each.</summary>
    [Fact]
    public void EqualInputsGiveEqualBytes()
    {
        byte[] first = BuildWithoutSignature();
        Assert.Equal(first, BuildWithoutSignature());
    }

    [Fact]
    public void AKernelPackedWithGzipGivesTheSameImage()
    {
        byte[] plain = BuildWithoutSignature();
        byte[] kernel = File.ReadAllBytes(_workshop.At("kernel"));
        using (GZipStream packed = new(File.Create(_workshop.At("kernel")), CompressionLevel.Fastest))
        {
            packed.Write(kernel);
        }

        Assert.Equal(plain, BuildWithoutSignature());
    }

    [Fact]
    public void AnotherMonitorReplacesTheDescribedOne()
    {
        byte[] weak = Workshop.Arm64(0x2000, 0x2000);
        weak[0x1FFF] = 0x99;
        _workshop.Put("weak.bin", weak);
        ImageBuilder.Build(_workshop.Request() with { Sptm = _workshop.At("weak.bin") });
        Assert.Equal(0x99, File.ReadAllBytes(_workshop.Output)[0x1FFF]);
    }

    [Fact]
    public void InspectionSaysWhoHoldsWhat()
    {
        _workshop.Build();
        using StringWriter text = new();
        ImageInspector.Print(_workshop.Output, text);
        string said = text.ToString().ReplaceLineEndings("\n");
        Assert.Equal(
            """
            memory
              0x40200000..0x40400000     2 MiB  SPTM
              0x40400000..0x40600000     2 MiB  SK: 2 pages rx, 1 pages r, the rest rw
              0x40600000..0x40800000     2 MiB  header, manifest, TXM, tables, components
              0x40800000..0x40A01000  2052 KiB  Linux kernel
              0x40A01000..0x40A01005       5 B  initramfs
              top of RAM               64 MiB  secure pool, 21952 KiB of it for SK and components
            command line: console=ttyAMA0

            component Proxy (freestanding, core, proxy, quota 1 MiB, entry 0x7E0000000000)
              r-x 0x7E0000000000     4 KiB  at 0x40626000
              r-- 0x7E0000010000     4 KiB  at 0x40624000
              rw- 0x7E0000020000    12 KiB  at 0x40625000

            component Source (freestanding, core, quota 1 MiB, entry 0x7E0000000000)
              r-x 0x7E0000000000     4 KiB  at 0x40626000
              r-- 0x7E0000010000     4 KiB  at 0x40624000
              rw- 0x7E0000020000    12 KiB  at 0x40625000

            component Program (dotnet, starts up to 31 threads, quota 16 MiB and 4 MiB donated, entry 0x7E0000000000)
              r-- 0x001000000000     4 KiB  at 0x40627000
              r-x 0x001000002000     4 KiB  at 0x40628000
              rw- 0x001000005000    12 KiB  at 0x40629000
              r-x 0x7E0000000000     8 KiB  at 0x40622000
              r-- 0x7E0000010000     4 KiB  at 0x40624000
              rw- 0x7E0000020000    12 KiB  at 0x40625000

            component Worker (freestanding, 3 threads, quota 1 MiB and 4 MiB donated, entry 0x7E0000000000)
              r-x 0x7E0000000000     4 KiB  at 0x40626000
              r-- 0x7E0000010000     4 KiB  at 0x40624000
              rw- 0x7E0000020000    12 KiB  at 0x40625000

            component Mint (freestanding, core, FrameMint, quota 256 KiB, entry 0x7E0000000000)
              r-x 0x7E0000000000     4 KiB  at 0x40626000
              r-- 0x7E0000010000     4 KiB  at 0x40624000
              rw- 0x7E0000020000    12 KiB  at 0x40625000

            who holds what when it starts
              Proxy    slot   1: receive at its own endpoint (everybody's)
              Proxy    slot   2: act for Linux: downcalls, argument pages, shared frames (declared)
              Proxy    slot   3: read the counters of SK and SPTM (declared)
              Proxy    slot   4: call Mint for Linux's clients (declared)
              Proxy    slot  65: call Source for Linux's clients (for its services)
              Proxy    slot  66: call Program for Linux's clients (for its services)
              Source   slot   1: receive at its own endpoint (everybody's)
              Source   slot   2: device entropy at 0xA000000 (declared)
              Source   slot   3: physical addresses of own memory (declared)
              Source   slot  32: call Proxy with badge 2 (for upcalls)
              Program  slot   1: receive at its own endpoint (everybody's)
              Program  slot   5: call Source with badge 77 (declared)
              Program  slot  32: call Proxy with badge 3 (for upcalls)
              Worker   slot   1: receive at its own endpoint (everybody's)
              Worker   slot   4: call Source with badge 4 (declared)
              Worker   slot   6: 64 KiB of untyped memory (declared)
              Worker   slot   7: read the counters of SK and SPTM (declared)
              Mint     slot   1: receive at its own endpoint (everybody's)
              Mint     slot   2: mint ExclaveKit's text: 16 KiB of the image at 0x40622000 (declared)
              Mint     slot  64: the untyped memory that is left, in slots from here on: 31296 KiB on a machine with 2048 MiB (declared)

            services
              00112233-4455-6677-8899-aabbccddeeff org.example.program: Program, proxy slot 66, on Linux's TEE bus
              0f4c2b7a-93d1-4e5a-8a6e-5d2c71b3e9f4 org.example.source: Source, proxy slot 65


            """,
            said[..said.IndexOf("signature:", StringComparison.Ordinal)]);
        Assert.Equal(
            [
                "SPTM", "TXM", "manifest", "SK", "image header", "kernel command line", "component tables", "ExclaveKit", "component Proxy",
                "conclave Program", "padding", "Linux kernel (not judged)", "initramfs (not judged)", "log",
            ],
            said.Split('\n').Where(line => line.Length > 68 && line.StartsWith("  ", StringComparison.Ordinal) && line[66] == ' ' && line[67] == ' ').Select(line => line[68..]));
        Assert.Contains("signature: debug key, valid\n", said, StringComparison.Ordinal);
        Assert.DoesNotContain("DIFFERS", said, StringComparison.Ordinal);
    }

    [Fact]
    public void InspectionAsJsonSaysTheSame()
    {
        _workshop.Build();
        using StringWriter text = new();
        ImageInspector.PrintJson(_workshop.Output, text);
        using JsonDocument document = JsonDocument.Parse(text.ToString());
        JsonElement components = document.RootElement.GetProperty("components");
        Assert.Equal(["Proxy", "Source", "Program", "Worker", "Mint"], components.EnumerateArray().Select(c => c.GetProperty("name").GetString()!));
        JsonElement worker = components[3];
        Assert.Equal((3, 1 << 20, 4 << 20), (worker.GetProperty("threads").GetInt32(), worker.GetProperty("quotaBytes").GetInt32(), worker.GetProperty("donatedBytes").GetInt32()));
        Assert.Equal(
            ["1 receive everybody's", "4 call declared", "6 untyped declared", "7 counters declared"],
            worker.GetProperty("capabilities").EnumerateArray().Select(c => $"{c.GetProperty("slot")} {c.GetProperty("kind")} {c.GetProperty("origin")}"));
        Assert.Equal(64 << 10, worker.GetProperty("capabilities")[2].GetProperty("bytes").GetInt32());
        JsonElement mint = components[4];
        Assert.Equal(
            ["1 receive 0", "2 kit 16384", "64 untypedRest 0"],
            mint.GetProperty("capabilities").EnumerateArray().Select(c => $"{c.GetProperty("slot")} {c.GetProperty("kind")} {(c.TryGetProperty("bytes", out JsonElement bytes) ? bytes.GetInt32() : 0)}"));
        Assert.True(mint.GetProperty("frameMint").GetBoolean());
        Assert.Equal(("Source", 4), (worker.GetProperty("capabilities")[1].GetProperty("component").GetString(), worker.GetProperty("capabilities")[1].GetProperty("badge").GetInt32()));
        Assert.Equal(["org.example.program", "org.example.source"], document.RootElement.GetProperty("services").EnumerateArray().Select(s => s.GetProperty("name").GetString()!));
    }

    /// <summary>A machine with more RAM has larger tables of the monitor.</summary>
    [Fact]
    public void APoolIsTooSmallForAMachineWithMuchMemory()
    {
        ImageBuilder.Build(_workshop.Request() with { RamBytes = 8ul << 30 });
        ImageToolException error = Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request() with { RamBytes = 16ul << 30 }));
        Assert.Equal("$.pool", error.Problems[0].Place);
        Assert.Contains("is 64 MiB, and this system on a machine with 16384 MiB of memory needs 104.", error.Problems[0].Rule, StringComparison.Ordinal);
    }

    public void Dispose() => _workshop.Dispose();

    private byte[] BuildWithoutSignature()
    {
        byte[] image = _workshop.Build();
        image.AsSpan((int)(Virt.ManifestBase - Virt.ImageBase) + ImageManifest.SignedBytes, SignatureBlock.Bytes).Clear();
        return image;
    }

    private static T At<T>(byte[] image, ulong address)
        where T : unmanaged => MemoryMarshal.Read<T>(image.AsSpan((int)(address - Virt.ImageBase)));

    private static ReadOnlySpan<byte> Bytes(byte[] image, ulong address, ulong bytes) => image.AsSpan((int)(address - Virt.ImageBase), (int)bytes);

    private static ComponentEntry[] Components(byte[] image, ImageHeader header) =>
        MemoryMarshal.Cast<byte, ComponentEntry>(Bytes(image, header.Components, header.ComponentCount * (ulong)Unsafe.SizeOf<ComponentEntry>())).ToArray();

    private static (GrantKind, uint, ulong, ulong)[] Grants(ComponentEntry component) =>
        [.. Enumerable.Range(0, (int)component.GrantCount).Select(i => component.Grants[i]).Select(g => (g.Kind, g.Slot, g.Argument, g.Badge))];
}
