using System;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool.Layout;

/// <summary>Reads an image back and says what lies where and who holds what.</summary>
public sealed class ImageInspector
{
    private readonly string _file;
    private readonly FileStream _stream;
    private readonly TextWriter _output;

    private ImageInspector(string file, FileStream stream, TextWriter output)
    {
        _file = file;
        _stream = stream;
        _output = output;
    }

    /// <exception cref="ImageToolException">Not an image, or cut off.</exception>
    public static void Print(string file, TextWriter output)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read);
            new ImageInspector(file, stream, output).Print();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageToolException(file, "", error is FileNotFoundException or DirectoryNotFoundException ? "is missing." : error.Message);
        }
    }

    private void Print()
    {
        ImageHeader header = Read<ImageHeader>(Virt.ImageHeaderBase, 1)[0];
        if (header.Magic != ImageHeader.MagicValue || header.Version != ImageHeader.CurrentVersion)
        {
            throw new ImageToolException(_file, "", "is not an Exclaves image of this version.");
        }

        if (header.ComponentCount > SystemReader.MaxComponents || header.ServiceCount > SystemReader.MaxServices)
        {
            throw new ImageToolException(_file, "header", "has tables longer than the system allows.");
        }

        ComponentEntry[] components = Read<ComponentEntry>(header.Components, (int)header.ComponentCount);
        ServiceEntry[] services = Read<ServiceEntry>(header.Services, (int)header.ServiceCount);
        PrintLayout(header);
        for (int i = 0; i < components.Length; i++)
        {
            PrintComponent(components[i], components);
            PrintUpcallRight(i, services, components);
        }

        PrintServices(services, components);
        PrintMeasurements();
    }

    private void PrintLayout(ImageHeader header)
    {
        _output.WriteLine("memory");
        Line(Virt.SptmBase, Virt.SptmSlotBytes, "SPTM");
        Line(Virt.SkBase, Virt.SkSlotBytes, $"SK: {header.SkTextPages} pages rx, {header.SkRodataPages} pages r, the rest rw");
        Line(Virt.ImageHeaderBase, header.SecureEnd - Virt.ImageHeaderBase, "header, manifest, TXM, tables, components");
        Line(header.KernelBase, header.KernelBytes, "Linux kernel");
        Line(header.InitramfsBase, header.InitramfsBytes, "initramfs");
        _output.WriteLine($"  {"top of RAM",-20} {Size(header.PoolBytes),10}  secure pool");
        byte[] arguments = Read<byte>(header.BootArguments, (int)Math.Min(header.BootArgumentBytes, ImageBuilder.MaxBootArgumentBytes));
        _output.WriteLine($"command line: {Encoding.ASCII.GetString(arguments)}");
    }

    private void Line(ulong address, ulong bytes, string text) =>
        _output.WriteLine($"  0x{address:X8}..0x{address + bytes:X8} {Size(bytes),9}  {text}");

    private void PrintComponent(in ComponentEntry component, ComponentEntry[] all)
    {
        _output.WriteLine();
        string core = (component.Flags & ComponentFlags.Core) != 0 ? ", core" : "";
        string proxy = (component.Flags & ComponentFlags.Proxy) != 0 ? ", proxy" : "";
        string measurements = (component.Flags & ComponentFlags.Measurements) != 0 ? ", reads the measurement log" : "";
        string kind = component.Kind == ComponentKind.DotNet ? "dotnet" : "freestanding";
        _output.WriteLine($"component {Names.Of(component.Name)} ({kind}{core}{proxy}{measurements}, quota {Size(component.QuotaBytes)}{Donated(component)}, entry 0x{component.Entry:X})");
        for (int i = 0; i < (int)Math.Min(component.SegmentCount, ComponentEntry.MaxSegments); i++)
        {
            SegmentEntry segment = component.Segments[i];
            string place = segment.FileBytes == 0 ? "zeros" : $"at 0x{segment.PhysicalBase:X8}";
            _output.WriteLine($"  {AccessOf(segment.Access)} 0x{segment.VirtualBase:X12} {Size(segment.MemoryBytes),9}  {place}");
        }

        for (int i = 0; i < (int)Math.Min(component.GrantCount, ComponentEntry.MaxGrants); i++)
        {
            GrantEntry grant = component.Grants[i];
            _output.WriteLine($"  slot {grant.Slot,2}: {Describe(grant, all)}");
        }
    }

    /// <summary>SK gives it to every component that serves Linux; no table entry states it.</summary>
    private void PrintUpcallRight(int index, ServiceEntry[] services, ComponentEntry[] components)
    {
        int proxy = Array.FindIndex(components, c => (c.Flags & ComponentFlags.Proxy) != 0);
        if (proxy >= 0 && services.Any(s => s.Component == index))
        {
            _output.WriteLine($"  slot {ComponentEntry.UpcallSlot,2}: call {Names.Of(components[proxy].Name)} with badge {index + 1}, for upcalls");
        }
    }

    private void PrintServices(ServiceEntry[] services, ComponentEntry[] components)
    {
        _output.WriteLine();
        _output.WriteLine("services");
        foreach (ServiceEntry service in services)
        {
            string bus = service.OnBus != 0 ? ", on Linux's TEE bus" : "";
            _output.WriteLine($"  {UuidOf(service)} {Names.Of(service.Name)}: {ComponentName(service.Component, components)}, proxy slot {service.ProxySlot}{bus}");
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

    private static Guid UuidOf(in ServiceEntry service)
    {
        Span<byte> uuid = stackalloc byte[16];
        MemoryMarshal.Write(uuid, service.UuidLow);
        MemoryMarshal.Write(uuid[8..], service.UuidHigh);
        return new Guid(uuid, bigEndian: true);
    }

    private static string Describe(in GrantEntry grant, ComponentEntry[] all)
    {
        ulong page = grant.Argument;
        return grant.Kind switch
        {
            GrantKind.Endpoint => $"call {ComponentName(grant.Argument, all)} with badge {grant.Badge}",
            GrantKind.Device => $"device {DeviceCatalog.Pages.FirstOrDefault(d => d.Value == page).Key ?? "unknown"} at 0x{grant.Argument:X}",
            GrantKind.DmaAddress => "physical addresses of own memory",
            GrantKind.Downcall => "act for Linux: downcalls, argument pages, shared frames",
            GrantKind.Counters => "read the counters of SK and SPTM",
            _ => $"unknown kind {(uint)grant.Kind}",
        };
    }

    private static string ComponentName(ulong index, ComponentEntry[] all) =>
        index < (ulong)all.Length ? Names.Of(all[index].Name) : $"unknown component {index}";

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

    private T[] Read<T>(ulong address, int count)
        where T : unmanaged
    {
        ulong bytes = (ulong)count * (ulong)Unsafe.SizeOf<T>();
        if (address < Virt.ImageBase || address - Virt.ImageBase + bytes > (ulong)_stream.Length)
        {
            throw new ImageToolException(_file, "", "is not an Exclaves image, or cut off.");
        }

        T[] items = new T[count];
        _stream.Position = (long)(address - Virt.ImageBase);
        _stream.ReadExactly(MemoryMarshal.AsBytes(items.AsSpan()));
        return items;
    }
}
