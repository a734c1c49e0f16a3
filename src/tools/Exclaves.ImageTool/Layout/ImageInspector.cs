using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool.Layout;

/// <summary>Reads an image back and says what lies where and who holds what.</summary>
public sealed class ImageInspector
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string _file;
    private readonly ImageTables _tables;
    private readonly TextWriter _output;

    private ImageInspector(string file, TextWriter output)
    {
        _file = file;
        _tables = ImageTables.Read(file);
        _output = output;
    }

    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static void Print(string file, TextWriter output) => new ImageInspector(file, output).Print();

    /// <summary>Who holds what, for programs.</summary>
    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static void PrintJson(string file, TextWriter output) => new ImageInspector(file, output).PrintJson();

    private void Print()
    {
        PrintLayout();
        foreach (ComponentEntry component in _tables.Components)
        {
            PrintComponent(component);
        }

        PrintHoldings();
        PrintServices();
        PrintMeasurements();
    }

    private void PrintJson()
    {
        var image = new
        {
            PoolBytes = _tables.Header.PoolBytes,
            SecureKernelBytes = (ulong)NeedOfSecureKernel(),
            Components = _tables.Components.Select((component, index) => new
            {
                Name = Names.Of(component.Name),
                Kind = KindOf(component),
                Core = (component.Flags & ComponentFlags.Core) != 0,
                Proxy = (component.Flags & ComponentFlags.Proxy) != 0,
                Log = (component.Flags & ComponentFlags.Log) != 0,
                FrameMint = (component.Flags & ComponentFlags.FrameMint) != 0,
                Measurements = (component.Flags & ComponentFlags.Measurements) != 0,
                Threads = Math.Max(component.Threads, 1),
                MaxThreads = MostOf(component),
                LentBuffers = (component.Flags & ComponentFlags.LentBuffers) != 0,
                component.QuotaBytes,
                component.DonatedBytes,
                Capabilities = HeldBy(index).Select(held => new
                {
                    held.Slot,
                    Kind = WordFor(held),
                    Component = held.Kind == GrantKind.Endpoint ? ComponentName(held.Argument) : null,
                    Badge = held is { Kind: GrantKind.Endpoint, Origin: not HoldingOrigin.Own } ? held.Badge : (ulong?)null,
                    Device = held.Kind switch { GrantKind.Device => DeviceName(held.Argument), GrantKind.Interrupt => InterruptName(held.Argument), _ => null },
                    Bytes = held.Kind switch { GrantKind.Untyped => held.Argument, GrantKind.Kit => held.Badge, _ => (ulong?)null },
                    Origin = OriginOf(held),
                }),
            }),
            Services = _tables.Services.Select(service => new
            {
                Name = Names.Of(service.Name),
                Uuid = UuidOf(service),
                Component = ComponentName(service.Component),
                service.ProxySlot,
                OnBus = service.OnBus != 0,
            }),
        };
        _output.WriteLine(JsonSerializer.Serialize(image, Json));
    }

    private void PrintLayout()
    {
        ImageHeader header = _tables.Header;
        _output.WriteLine("memory");
        Line(Virt.SptmBase, Virt.SptmSlotBytes, "SPTM");
        Line(Virt.SkBase, Virt.SkSlotBytes, $"SK: {header.SkTextPages} pages rx, {header.SkRodataPages} pages r, the rest rw");
        Line(Virt.ImageHeaderBase, header.SecureEnd - Virt.ImageHeaderBase, "header, manifest, TXM, tables, components");
        Line(header.KernelBase, header.KernelBytes, "Linux kernel");
        Line(header.InitramfsBase, header.InitramfsBytes, "initramfs");
        _output.WriteLine($"  {"top of RAM",-20} {Size(header.PoolBytes),10}  secure pool, {Size((ulong)NeedOfSecureKernel())} of it for SK and components");
        _output.WriteLine($"command line: {_tables.BootArguments}");
    }

    private static uint MostOf(in ComponentEntry component) => Math.Max(component.MaxThreads, Math.Max(component.Threads, 1));

    private UInt128 NeedOfSecureKernel() => PoolPlan.SecureKernelBytes(
        [.. _tables.Components.Select(c => PoolShare.Of(c.Flags, c.QuotaBytes, MostOf(c), ((ReadOnlySpan<GrantEntry>)c.Grants).ToArray()))]);

    /// <summary>What nobody has declared for himself, at least, on a machine of the usual size: SPTM's tables grow with RAM.</summary>
    private UInt128 Left()
    {
        UInt128 taken = NeedOfSecureKernel() + PoolPlan.MonitorBytes(PoolPlan.UsualRamBytes);
        return taken < _tables.Header.PoolBytes ? _tables.Header.PoolBytes - taken : 0;
    }

    private void Line(ulong address, ulong bytes, string text) =>
        _output.WriteLine($"  0x{address:X8}..0x{address + bytes:X8} {Size(bytes),9}  {text}");

    private void PrintComponent(in ComponentEntry component)
    {
        _output.WriteLine();
        string core = (component.Flags & ComponentFlags.Core) != 0 ? ", core" : "";
        string proxy = (component.Flags & ComponentFlags.Proxy) != 0 ? ", proxy" : "";
        proxy += (component.Flags & ComponentFlags.Log) != 0 ? ", log" : "";
        proxy += (component.Flags & ComponentFlags.FrameMint) != 0 ? ", FrameMint" : "";
        string measurements = (component.Flags & ComponentFlags.Measurements) != 0 ? ", reads the measurement log" : "";
        string lent = (component.Flags & ComponentFlags.LentBuffers) != 0 ? ", takes lent buffers" : "";
        string threads = component.Threads > 1 ? $", {component.Threads} threads" : "";
        threads += MostOf(component) > Math.Max(component.Threads, 1) ? $", starts up to {MostOf(component) - Math.Max(component.Threads, 1)} threads" : "";
        _output.WriteLine($"component {Names.Of(component.Name)} ({KindOf(component)}{core}{proxy}{measurements}{threads}{lent}, quota {Size(component.QuotaBytes)}{Donated(component)}, entry 0x{component.Entry:X})");
        for (int i = 0; i < (int)Math.Min(component.SegmentCount, ComponentEntry.MaxSegments); i++)
        {
            SegmentEntry segment = component.Segments[i];
            string place = segment.FileBytes == 0 ? "zeros" : $"at 0x{segment.PhysicalBase:X8}";
            _output.WriteLine($"  {AccessOf(segment.Access)} 0x{segment.VirtualBase:X12} {Size(segment.MemoryBytes),9}  {place}");
        }
    }

    /// <summary>One line for each capability of the system, those included that no table entry states.</summary>
    private void PrintHoldings()
    {
        _output.WriteLine();
        _output.WriteLine("who holds what when it starts");
        int width = _tables.Components.Select(c => Names.Of(c.Name).Length).DefaultIfEmpty().Max();
        for (int i = 0; i < _tables.Components.Length; i++)
        {
            string name = Names.Of(_tables.Components[i].Name);
            foreach (Holding held in HeldBy(i))
            {
                _output.WriteLine($"  {name.PadRight(width)}  slot {held.Slot,3}: {Describe(held)} ({OriginOf(held)})");
            }
        }
    }

    private void PrintServices()
    {
        _output.WriteLine();
        _output.WriteLine("services");
        foreach (ServiceEntry service in _tables.Services)
        {
            string bus = service.OnBus != 0 ? ", on Linux's TEE bus" : "";
            _output.WriteLine($"  {UuidOf(service)} {Names.Of(service.Name)}: {ComponentName(service.Component)}, proxy slot {service.ProxySlot}{bus}");
        }
    }

    /// <summary>Who signed, and what the monitor will log: two lists that must agree with the machine's.</summary>
    private void PrintMeasurements()
    {
        ExpectedMeasurements expected = ExpectedMeasurements.Of(_file);
        using ImageFile image = ImageFile.Open(_file, FileAccess.Read);
        _output.WriteLine();
        _output.WriteLine($"signature: {(image.Manifest.Signer == SignerKind.Production ? "production" : "debug")} key, {(expected.IsSignatureValid ? "valid" : "NOT VALID for this monitor")}");
        _output.WriteLine("measurements (SHA-256)");
        foreach ((PartKind kind, string name, Digest digest) in expected.Entries)
        {
            _output.WriteLine($"  {Convert.ToHexStringLower(digest)}  {ExpectedMeasurements.Describe(kind, name)}");
        }

        _output.WriteLine($"  {expected.Extended}  log");
        foreach (string part in expected.Differences)
        {
            _output.WriteLine($"DIFFERS from its digest: {part}");
        }
    }

    private IReadOnlyList<Holding> HeldBy(int index) => Holdings.Of(index, _tables.Components, _tables.Services);

    private static Guid UuidOf(in ServiceEntry service)
    {
        Span<byte> uuid = stackalloc byte[16];
        MemoryMarshal.Write(uuid, service.UuidLow);
        MemoryMarshal.Write(uuid[8..], service.UuidHigh);
        return new Guid(uuid, bigEndian: true);
    }

    private string Describe(Holding held) => held switch
    {
        { Kind: GrantKind.Endpoint, Origin: HoldingOrigin.Own } => "receive at its own endpoint",
        { Kind: GrantKind.Endpoint, Badge: ComponentEntry.ProxyBadge } => $"call {ComponentName(held.Argument)} for Linux's clients",
        { Kind: GrantKind.Endpoint } => $"call {ComponentName(held.Argument)} with badge {held.Badge}",
        { Kind: GrantKind.Device } => $"device {DeviceName(held.Argument)} at 0x{held.Argument:X}",
        { Kind: GrantKind.Interrupt } => $"interrupt {held.Argument} of device {InterruptName(held.Argument)}",
        { Kind: GrantKind.DmaAddress } => "physical addresses of own memory",
        { Kind: GrantKind.Downcall } => "act for Linux: downcalls, argument pages, shared frames",
        { Kind: GrantKind.Counters } => "read the counters of SK and SPTM",
        { Kind: GrantKind.UntypedRest } => $"the untyped memory that is left, in slots from here on: {Size((ulong)Left())} on a machine with {Size(PoolPlan.UsualRamBytes)}",
        { Kind: GrantKind.Untyped } => $"{Size(held.Argument)} of untyped memory",
        { Kind: GrantKind.Kit } => $"mint ExclaveKit's text: {Size(held.Badge)} of the image at 0x{held.Argument:X}",
        _ => $"unknown kind {(uint)held.Kind}",
    };

    private static string WordFor(Holding held) => held switch
    {
        { Kind: GrantKind.Endpoint, Origin: HoldingOrigin.Own } => "receive",
        { Kind: GrantKind.Endpoint } => "call",
        { Kind: GrantKind.Device } => "device",
        { Kind: GrantKind.Interrupt } => "interrupt",
        { Kind: GrantKind.DmaAddress } => "dmaAddress",
        { Kind: GrantKind.Downcall } => "downcall",
        { Kind: GrantKind.Counters } => "counters",
        { Kind: GrantKind.UntypedRest } => "untypedRest",
        { Kind: GrantKind.Untyped } => "untyped",
        { Kind: GrantKind.Kit } => "kit",
        _ => $"unknown {(uint)held.Kind}",
    };

    private static string OriginOf(Holding held) => held.Origin switch
    {
        HoldingOrigin.Own => "everybody's",
        HoldingOrigin.Service => "for its services",
        HoldingOrigin.Upcall => "for upcalls",
        _ => "declared",
    };

    private static string DeviceName(ulong page) => DeviceCatalog.Pages.FirstOrDefault(d => d.Value == page).Key ?? "unknown";

    private static string InterruptName(ulong number) => DeviceCatalog.Interrupts.FirstOrDefault(d => d.Value == number).Key ?? "unknown";

    private string ComponentName(ulong index) =>
        index < (ulong)_tables.Components.Length ? Names.Of(_tables.Components[index].Name) : $"unknown component {index}";

    private static string KindOf(in ComponentEntry component) => component.Kind == ComponentKind.DotNet ? "dotnet" : "freestanding";

    private static string AccessOf(MemoryAccess access) =>
        ((access & MemoryAccess.Read) != 0 ? "r" : "-") + ((access & MemoryAccess.Write) != 0 ? "w" : "-") + ((access & MemoryAccess.Execute) != 0 ? "x" : "-");

    private static string Donated(in ComponentEntry component) =>
        component.DonatedBytes == 0 ? "" : $" and {Size(component.DonatedBytes)} donated";

    private static string Size(ulong bytes) => bytes switch
    {
        >= 1 << 20 when bytes % (1 << 20) == 0 => $"{bytes >> 20} MiB",
        >= 1 << 10 when bytes % (1 << 10) == 0 => $"{bytes >> 10} KiB",
        _ => $"{bytes} B",
    };
}
