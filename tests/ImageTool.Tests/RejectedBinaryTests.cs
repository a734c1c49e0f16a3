using System;
using System.IO;
using System.Linq;
using Exclaves.Abi;
using Exclaves.ImageTool.Elf;
using Exclaves.ImageTool.Layout;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>Programs, monitors and kernels that must not get into an image.</summary>
public sealed class RejectedBinaryTests : IDisposable
{
    private const MemoryAccess ReadExecute = MemoryAccess.Read | MemoryAccess.Execute;
    private const MemoryAccess ReadWrite = MemoryAccess.Read | MemoryAccess.Write;
    private const ulong Base = UserLayout.ComponentBase;

    private readonly Workshop _workshop = new();

    // Mistake, file it spoils, its contents, part of the rule.
    private static readonly (string Name, string File, Func<byte[]> Content, string Rule)[] Mistakes =
    [
        ("not an ELF", "source.elf", () => new byte[100], "is not an ELF file"),
        ("empty", "source.elf", () => [], "is not an ELF file"),
        ("32-bit", "source.elf", () => Changed(Workshop.Component(1), e => e.Class = 1), "must be 64-bit"),
        ("for x86-64", "source.elf", () => Changed(Workshop.Component(1), e => e.Machine = 62), "must be for AArch64"),
        ("object file", "source.elf", () => Changed(Workshop.Component(1), e => e.Type = 1), "must be an executable"),
        ("position independent", "source.elf", () => Changed(Workshop.Component(1), e => e.Type = 3), "must be linked at a fixed address"),
        ("cut off", "source.elf", () => Workshop.Component(1).ToArray()[..^1], "has contents outside the file"),
        ("writable code", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute | MemoryAccess.Write).ToArray(), "is writable and executable"),
        ("overlap", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 0x2000, ReadExecute).Load(Base + 0x1000, 16, MemoryAccess.Read).ToArray(), "overlaps the one before"),
        ("code and data on a page", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute).Load(Base + 0x800, 16, ReadWrite).ToArray(), "shares a page"),
        ("at another address", "source.elf", () => new ElfWriter { Entry = 0x40_0000 }.Load(0x40_0000, 16, ReadExecute).ToArray(), "must lie within 0x7E0000000000"),
        ("over the IPC page", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute).Load(UserLayout.IpcPage - 0x1000, 0x1001, ReadWrite).ToArray(), "must lie within"),
        ("wrapping around", "source.elf", () => new ElfWriter { Entry = Base }.Load(ulong.MaxValue - 10, 5, ReadWrite, memoryBytes: 50).ToArray(), "is larger than an address space"),
        ("more in the file than in memory", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute, memoryBytes: 8).ToArray(), "holds more in the file than in memory"),
        ("huge bss", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute).Load(Base + 0x1000, 16, ReadWrite, memoryBytes: 1ul << 32).ToArray(), "must not be larger than"),
        ("entry in data", "source.elf", () => Changed(Workshop.Component(1), e => e.Entry = Base + 0x2_0000), "is not in executable contents"),
        ("entry after the code", "source.elf", () => Changed(Workshop.Component(1), e => e.Entry = Base + 0x1000), "is not in executable contents"),
        ("no segments", "source.elf", () => new ElfWriter { Entry = Base }.ToArray(), "is not in executable contents"),
        ("too many segments", "source.elf", ManySegments, "segments; 12 fit"),
        ("data larger than the quota", "source.elf", () => new ElfWriter { Entry = Base }.Load(Base, 16, ReadExecute).Load(Base + 0x1000, 16, ReadWrite, memoryBytes: 1 << 20).ToArray(), "writable segments alone need"),
        ("program with a loader", "program", () => Workshop.Program().Interpreter().ToArrayWithLoadedHeader(), "must be a static-pie"),
        ("program at a fixed address", "program", () => Changed(Workshop.Program(), e => e.Type = 2), "must be a static-pie"),
        ("program without its headers", "program", () => Workshop.Program().ToArray(), "has program headers that no segment loads"),
        ("kit position independent", "kit.elf", () => Changed(Workshop.Component(2), e => e.Type = 3), "must be linked at a fixed address"),
        ("SK stripped", "sk.elf", () => new ElfWriter { Entry = Workshop.SkLink }.Load(Workshop.SkLink, 16, ReadExecute).ToArray(), "has no __text_end"),
        ("SK linked elsewhere", "sk.elf", () => Workshop.Component(1).Symbol("__text_end", Base + 0x1000).Symbol("__rodata_end", Base + 0x2000).Symbol("__image_end", Base + 0x3000).ToArray(), "must be linked at 0xFFFF000040400000"),
        ("SK entry elsewhere", "sk.elf", () => Changed(Workshop.Sk(), e => e.Entry = Workshop.SkLink + 4), "must be the first byte"),
        ("SK outside its slot", "sk.elf", () => Workshop.Sk().Load(Workshop.SkLink + 0x20_0000, 16, ReadWrite).ToArray(), "lies outside the slot"),
        ("SPTM without a header", "sptm.bin", () => new byte[0x1000], "must be a flat binary that starts with an arm64 Image header"),
        ("SPTM too large", "sptm.bin", () => Workshop.Arm64(0x1000, Virt.SptmSlotBytes + 1), "does not fit its slot"),
        ("kernel without a header", "kernel", () => new byte[0x1000], "is not an arm64 kernel Image"),
        ("kernel big-endian", "kernel", () => Changed(Workshop.Arm64(0x1000, 0x1000), 24, 0xB), "is a big-endian kernel"),
        ("kernel without a size", "kernel", () => Workshop.Arm64(0x1000, 0), "is a kernel from before 5.8"),
        ("kernel with an offset", "kernel", () => Changed(Workshop.Arm64(0x1000, 0x1000), 10, 8), "is a kernel from before 5.8"),
        ("kernel packed and cut off", "kernel", () => [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "cannot be unpacked"),
    ];

    public static TheoryData<string> Names => [.. Mistakes.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AMistakeIsRefused(string name)
    {
        (_, string file, Func<byte[]> content, string rule) = Mistakes.First(m => m.Name == name);
        _workshop.Put(file, content());
        ImageToolException error = Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request()));
        Assert.Contains(rule, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_workshop.Output));
    }

    [Fact]
    public void AQuotaInWhichNoCollectorStartsIsRefused()
    {
        string system = File.ReadAllText(_workshop.At("system.json"));
        File.WriteAllText(_workshop.At("system.json"), system.Replace("\"16 MiB\", \"donated\": \"4 MiB\"", "\"16 MiB\", \"donated\": \"3 MiB\"", StringComparison.Ordinal));
        ImageToolException error = Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request()));
        Assert.Contains("components[2].quota: is 16 MiB, and the collector of a .NET program needs 20 MiB to start", error.Message, StringComparison.Ordinal);

        File.WriteAllText(_workshop.At("system.json"), system);
        ImageBuilder.Build(_workshop.Request());
    }

    [Theory]
    [InlineData("source.elf")]
    [InlineData("program")]
    [InlineData("kit.elf")]
    [InlineData("sk.elf")]
    [InlineData("sptm.bin")]
    [InlineData("kernel")]
    [InlineData("initramfs")]
    public void AMissingFileIsNamed(string file)
    {
        File.Delete(_workshop.At(file));
        ImageToolException error = Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request()));
        Assert.Equal(_workshop.At(file), Assert.Single(error.Problems).File);
    }

    [Theory]
    [InlineData("line\nbreak")]
    [InlineData("umläut")]
    public void ACommandLineIsPrintable(string arguments) =>
        Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request(arguments)));

    [Fact]
    public void ACommandLineHasALimit()
    {
        ImageBuilder.Build(_workshop.Request(new string('a', ImageBuilder.MaxBootArgumentBytes)));
        Assert.Throws<ImageToolException>(() => ImageBuilder.Build(_workshop.Request(new string('a', ImageBuilder.MaxBootArgumentBytes + 1))));
    }

    [Theory]
    [InlineData(0x2A17)]
    [InlineData(0x51C3)]
    public void AnyBytesGiveAnAnswerAndNothingElse(int seed)
    {
        // Every outcome but a parsed file or an ImageToolException is a bug, and fails the test by itself.
        byte[] good = Workshop.Sk().ToArray();
        Random random = new(seed);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bad = [.. good];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                int at = random.Next(3) == 0 ? random.Next(bad.Length - 250, bad.Length) : random.Next(64 + (3 * 56));
                bad[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)0xFF;
            }

            try
            {
                ElfFile elf = ElfFile.Parse("bad", bad);
                SegmentPlanner.Plan(elf, 0, Workshop.SkLink, Workshop.SkLink + Virt.SkSlotBytes);
            }
            catch (ImageToolException)
            {
                continue;
            }
        }
    }

    public void Dispose() => _workshop.Dispose();

    private static byte[] Changed(ElfWriter writer, Action<ElfWriter> change)
    {
        change(writer);
        return writer.ToArrayWithLoadedHeader();
    }

    private static byte[] Changed(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    private static byte[] ManySegments()
    {
        ElfWriter writer = new() { Entry = Base };
        for (ulong i = 0; i < 13; i++)
        {
            writer.Load(Base + (i * 0x1000), 16, i % 2 == 0 ? ReadExecute : MemoryAccess.Read);
        }

        return writer.ToArray();
    }
}
