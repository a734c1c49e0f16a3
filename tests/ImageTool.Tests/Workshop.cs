using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using Exclaves.Abi;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Signing;

namespace Exclaves.ImageTool.Tests;

/// <summary>A folder with a complete set of small inputs, each of which a test may spoil.</summary>
internal sealed class Workshop : IDisposable
{
    public const ulong SkLink = 0xFFFF_0000_0000_0000 + Virt.SkBase;

    private const string System = """
        {
          "sptm": "sptm.bin", "txm": "txm.elf", "sk": "sk.elf", "kit": "kit.elf", "pool": "64 MiB",
          "components": [
            { "name": "Proxy", "kind": "freestanding", "program": "proxy.elf", "core": true, "proxy": true, "quota": "1 MiB" },
            { "name": "Source", "kind": "freestanding", "program": "source.elf", "core": true, "quota": "1 MiB",
              "grants": [ { "slot": 2, "device": "entropy" }, { "slot": 3, "dmaAddress": true } ] },
            { "name": "Program", "kind": "dotnet", "program": "program", "quota": "16 MiB", "donated": "4 MiB",
              "grants": [ { "slot": 5, "endpoint": "Source", "badge": 77 } ] },
            { "name": "Worker", "kind": "freestanding", "program": "source.elf", "quota": "1 MiB", "threads": 3, "donated": "4 MiB",
              "grants": [ { "slot": 7, "counters": true }, { "slot": 6, "untyped": "64 KiB" }, { "slot": 4, "endpoint": "Source" } ] },
            { "name": "Mint", "kind": "freestanding", "program": "source.elf", "core": true, "frameMint": true, "quota": "256 KiB" }
          ],
          "services": [
            { "name": "org.example.program", "uuid": "00112233-4455-6677-8899-aabbccddeeff", "component": "Program", "onBus": true },
            { "name": "org.example.source", "uuid": "0f4c2b7a-93d1-4e5a-8a6e-5d2c71b3e9f4", "component": "Source" }
          ]
        }
        """;

    public Workshop()
    {
        Folder = Directory.CreateTempSubdirectory("exclaves-image-").FullName;
        Put("system.json", Encoding.UTF8.GetBytes(System));
        Put("sptm.bin", Arm64(0x3000, 0x8000));
        Put("txm.elf", Txm().ToArray());
        Put("sk.elf", Sk().ToArray());
        Put("kit.elf", Component(2).ToArray());
        Put("proxy.elf", Component(1).ToArray());
        Put("source.elf", Component(1).ToArray());
        Put("program", Program().ToArrayWithLoadedHeader());
        Put("kernel", Arm64(0x5432, 0x20_1000));
        Put("initramfs", [1, 2, 3, 4, 5]);
    }

    public string Folder { get; }

    public SigningKey Key { get; } = SigningKey.Create(SignerKind.Debug);

    public string Output => At("out/image/test.Image");

    public string At(string name) => Path.Combine(Folder, name);

    public void Put(string name, byte[] content) => File.WriteAllBytes(At(name), content);

    public ImageRequest Request(string bootArguments = "console=ttyAMA0") => new()
    {
        System = At("system.json"),
        Artifacts = Folder,
        Kernel = At("kernel"),
        Initramfs = At("initramfs"),
        BootArguments = bootArguments,
        Key = Key,
        Output = Output,
    };

    public byte[] Build()
    {
        ImageBuilder.Build(Request());
        return File.ReadAllBytes(Output);
    }

    public static byte[] Arm64(int bytes, ulong memoryBytes)
    {
        byte[] image = new byte[bytes];
        Array.Fill(image, (byte)0x5A);
        image.AsSpan(0, 64).Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(16), memoryBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(24), 0xA);
        "ARMd"u8.CopyTo(image.AsSpan(56));
        "EXCLROOT"u8.CopyTo(image.AsSpan(TrustRoot.Offset));
        return image;
    }

    public static ElfWriter Txm(ulong bytes = 0x4000) => new ElfWriter { Entry = Virt.TxmBase }
        .Load(Virt.TxmBase, 0x1000, MemoryAccess.Read | MemoryAccess.Execute, fill: 0xBB)
        .Load(Virt.TxmBase + 0x1000, 0x1000, MemoryAccess.Read, fill: 0xCC)
        .Load(Virt.TxmBase + 0x2000, 0x1000, MemoryAccess.Read | MemoryAccess.Write, memoryBytes: 0x2000, fill: 0xDD)
        .Symbol("__text_end", Virt.TxmBase + 0x1000)
        .Symbol("__rodata_end", Virt.TxmBase + 0x2000)
        .Symbol("__image_end", Virt.TxmBase + bytes);

    public static ElfWriter Sk() => new ElfWriter { Entry = SkLink }
        .Load(SkLink, 0x2000, MemoryAccess.Read | MemoryAccess.Execute, fill: 0x11)
        .Load(SkLink + 0x2000, 0x1000, MemoryAccess.Read, fill: 0x22)
        .Load(SkLink + 0x3000, 0x1000, MemoryAccess.Read | MemoryAccess.Write, memoryBytes: 0x5000, fill: 0x33)
        .Symbol("__text_end", SkLink + 0x2000)
        .Symbol("__rodata_end", SkLink + 0x3000)
        .Symbol("__image_end", SkLink + 0x8000);

    /// <summary>Text, rodata and data with bss at the component's link address.</summary>
    public static ElfWriter Component(int textPages) => new ElfWriter { Entry = UserLayout.ComponentBase }
        .Load(UserLayout.ComponentBase, textPages * 0x1000, MemoryAccess.Read | MemoryAccess.Execute, fill: 0x44)
        .Load(UserLayout.ComponentBase + 0x1_0000, 0x123, MemoryAccess.Read, fill: 0x55)
        .Load(UserLayout.ComponentBase + 0x2_0000, 0x200, MemoryAccess.Read | MemoryAccess.Write, memoryBytes: 0x3000, fill: 0x66);

    /// <summary>A static-pie whose parts do not start at page boundaries, as the linker makes them.</summary>
    public static ElfWriter Program() => new ElfWriter { Type = 3, Entry = 0x2100 }
        .Load(0, 0x800, MemoryAccess.Read, fill: 0x77)
        .Load(0x2000, 0x1000, MemoryAccess.Read | MemoryAccess.Execute, fill: 0x88)
        .Load(0x5050, 0x100, MemoryAccess.Read | MemoryAccess.Write, fill: 0x99)
        .Load(0x5150, 0x80, MemoryAccess.Read | MemoryAccess.Write, memoryBytes: 0x2000, fill: 0xAA);

    public void Dispose()
    {
        Key.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
