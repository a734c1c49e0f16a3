using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.ImageTool.Description;
using Exclaves.ImageTool.Layout;
using Exclaves.ImageTool.Tests;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>A system description becomes an image, SK boots with its tables, and everybody holds what `exclave image inspect` says, and nothing else.</summary>
public sealed class DistributionTests : IDisposable
{
    private const ulong InfoPage = FakeMachine.MemoryBase;
    private const ulong HeaderPage = InfoPage + 0x1000;
    private const ulong ServicesPages = InfoPage + 0x2000;
    private const ulong ComponentsPages = InfoPage + 0x1_0000;
    private const ulong ImagePages = InfoPage + 0x10_0000;
    private const ulong UntypedBase = InfoPage + PoolPlan.Block;
    private const string Small = "small";
    private const string Demo = "demo";
    private const string Scale = "scale";
    private const string Untyped = "untyped";

    private readonly Workshop _workshop = new();

    [Theory]
    [InlineData(Small)]
    [InlineData(Demo)]
    [InlineData(Scale)]
    [InlineData(Untyped)]
    public void EverybodyHoldsWhatInspectionSaysAndNothingElse(string system)
    {
        ImageTables tables = Build(system);
        Sk sk = Prepare(tables, Need(tables));
        sk.Initialize();
        for (int i = 0; i < tables.Components.Length; i++)
        {
            IReadOnlyList<Holding> holdings = Holdings.Of(i, tables.Components, tables.Services);
            string[] expected = [.. holdings.Where(h => h.Kind != GrantKind.UntypedRest).Select(h => Expect(sk, h))];
            Assert.Equal(expected, Held(sk, i, holdings.Any(h => h.Kind == GrantKind.UntypedRest)));
        }
    }

    /// <summary>Who is declared with threads has them, and the core runs to its first Receive.</summary>
    [Theory]
    [InlineData(Small)]
    [InlineData(Demo)]
    [InlineData(Scale)]
    public void ItBoots(string system)
    {
        ImageTables tables = Build(system);
        Sk sk = Sk.BootPrepared(Prepare(tables, Need(tables)));
        for (int i = 0; i < tables.Components.Length; i++)
        {
            Assert.Equal((tables.Components[i].Threads, tables.Components[i].MaxThreads, tables.Components[i].QuotaBytes), (sk.At(i).ThreadCount, sk.At(i).MaxThreads, sk.At(i).Memory.Bytes));
        }
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Demo)]
    [InlineData(Scale)]
    [InlineData(Untyped)]
    public void ThePoolThatTheImageToolAsksForIsEnoughAndAPageLessIsNot(string system)
    {
        ImageTables tables = Build(system);
        Prepare(tables, Need(tables)).Initialize();
        Sk less = Prepare(tables, Need(tables) - Limits.PageBytes);
        Assert.Equal(PanicCode.PoolTooSmall, Assert.Throws<PanicException>(less.Initialize).Code);
    }

    /// <summary>What is left goes to FrameMint: pieces that follow each other to the pool's end, each at a multiple of its size, in as many slots as there are at most.</summary>
    [Theory]
    [InlineData(Small, 0ul)]
    [InlineData(Small, 1ul)]
    [InlineData(Demo, 2ul)]
    [InlineData(Scale, 1023ul)]
    [InlineData(Untyped, 12345ul)]
    public void WhatIsLeftIsFrameMints(string system, ulong morePages)
    {
        ImageTables tables = Build(system);
        ulong bytes = Need(tables) + (morePages * Limits.PageBytes);
        Sk sk = Prepare(tables, bytes);
        sk.Initialize();
        int mint = Array.FindIndex(tables.Components, c => (c.Flags & ComponentFlags.FrameMint) != 0);
        CapabilityTable table = sk.At(mint).Capabilities;
        Capability[] pieces = [.. Enumerable.Range((int)MintSlots.Rest, (int)(table.Slots - MintSlots.Rest))
            .Select(slot => FakeMachine.At<CapabilitySlot>(table.Base + ((ulong)slot * CapabilitySlot.Bytes)).Capability).TakeWhile(c => c.Kind == CapabilityKind.Untyped)];
        ulong end = FakeMachine.At<BootInfo>(InfoPage).UntypedBase + bytes;
        ulong next = end - pieces.Aggregate(0ul, (sum, c) => sum + (1ul << c.SizeLog2));
        foreach (Capability piece in pieces)
        {
            Assert.Equal((next, 0ul, true, true), (piece.Object, piece.Object % (1ul << piece.SizeLog2), piece.IsOriginal, piece.IsDeclared));
            next += 1ul << piece.SizeLog2;
        }

        // Nobody else's memory is in it, and it is all that nobody else has.
        Capability[] others = [.. Enumerable.Range(0, tables.Components.Length).SelectMany(i => UntypedOf(sk.At(i).Capabilities))];
        ulong first = end - pieces.Aggregate(0ul, (sum, c) => sum + (1ul << c.SizeLog2));
        Assert.Equal(end, next);
        Assert.All(others, c => Assert.True(c.Object + (1ul << c.SizeLog2) <= first));
        Assert.All(Enumerable.Range(0, tables.Components.Length), i => Assert.True(sk.At(i).Memory.Base + sk.At(i).Memory.Bytes <= first));
        Assert.True(end - first >= morePages * Limits.PageBytes);
    }

    private static IEnumerable<Capability> UntypedOf(CapabilityTable table) => Enumerable.Range(0, (int)MintSlots.Rest)
        .Select(slot => FakeMachine.At<CapabilitySlot>(table.Base + ((ulong)slot * CapabilitySlot.Bytes)).Capability).Where(c => c.Kind == CapabilityKind.Untyped);

    [Fact]
    public void TheLargestSystemHasItsSize()
    {
        ImageTables tables = Build(Scale);
        Assert.Equal((68, 128), (tables.Components.Length, tables.Services.Length));
        Assert.Equal(64, tables.Components.Count(c => (c.Flags & ComponentFlags.Core) == 0));
        Assert.Equal(ComponentEntry.FirstServiceSlot + 67, tables.Services[^1].ProxySlot);
        Assert.Equal(2 + 1 + 1 + 65, Holdings.Of(0, tables.Components, tables.Services).Count);
        Assert.All(Enumerable.Range(3, 65).Where(i => (tables.Components[i].Flags & ComponentFlags.Core) == 0), i => Assert.Contains(tables.Services, s => s.Component == i));
    }

    [Fact]
    public void TheImageToolKnowsTheLimitsOfTheSecureKernel()
    {
        Assert.Equal(Limits.Components, SystemReader.MaxComponents);
        Assert.Equal((Limits.Threads, Limits.MaxThreads), (SystemReader.MaxThreads, SystemReader.MostThreads));

        // SK, header, command line, TXM, tables, ExclaveKit and padding besides the components.
        Assert.True(SystemReader.MaxComponents + 7 <= ImageManifest.MaxParts);
        Assert.True(ComponentEntry.FirstServiceSlot + Limits.Components <= Limits.ProxyTablePages * CapabilityTable.PageSlots);
        Assert.True(UserLayout.StartInfo + Limits.PageBytes + (SystemReader.MaxServices * (ulong)Unsafe.SizeOf<ServiceEntry>()) <= UserLayout.Measurements);
        Assert.True(UserLayout.Measurements + MeasurementLog.Bytes < UserLayout.StackTop - UserLayout.StackBytes);
    }

    public void Dispose() => _workshop.Dispose();

    private ImageTables Build(string system)
    {
        string file = _workshop.At("system.json");
        if (system is Demo or Scale)
        {
            string demo = File.ReadAllText(Repository.Demo);
            File.WriteAllText(file, system == Demo ? demo : ScaleSystem.Enlarge(file, demo, "Hello", 64, 128));
            SystemDescription description = SystemReader.Read(file);
            Place("sptm.bin", description.Sptm);
            Place("txm.elf", description.Txm);
            Place("sk.elf", description.Sk);
            Place("kit.elf", description.Kit!);
            foreach (ComponentDescription component in description.Components)
            {
                Place(component.Kind == ComponentKind.DotNet ? "program" : "source.elf", component.Program);
            }
        }
        else if (system == Untyped)
        {
            // The sizes go up and down, and the pool starts where the large one lies worst.
            string text = File.ReadAllText(file);
            text = text.Replace(
                "{ \"slot\": 6, \"untyped\": \"64 KiB\" }",
                "{ \"slot\": 6, \"untyped\": \"64 KiB\" }, { \"slot\": 8, \"untyped\": \"8 MiB\" }, { \"slot\": 9, \"untyped\": \"4 KiB\" }, { \"slot\": 10, \"untyped\": \"1 MiB\" }",
                StringComparison.Ordinal);
            File.WriteAllText(file, text);
        }

        _workshop.Build();
        return ImageTables.Read(_workshop.Output);
    }

    private void Place(string from, string path)
    {
        string target = _workshop.At(path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(_workshop.At(from), target, overwrite: true);
    }

    private static ulong Need(ImageTables tables) => (ulong)PoolPlan.SecureKernelBytes(
        [.. tables.Components.Select(c => PoolShare.Of(c.Flags, c.QuotaBytes, c.MaxThreads, ((ReadOnlySpan<GrantEntry>)c.Grants).ToArray()))]);

    /// <summary>The tables of the image where SPTM says, and a pool of so many bytes.</summary>
    private static Sk Prepare(ImageTables tables, ulong poolBytes)
    {
        // The pool starts at a multiple of its unit, and the untyped memory of the test that has much of it as far from a multiple of that as can be.
        ulong largest = tables.Components.SelectMany(c => ((ReadOnlySpan<GrantEntry>)c.Grants).ToArray()).Where(g => g.Kind == GrantKind.Untyped).Select(g => g.Argument).DefaultIfEmpty().Max();
        ulong start = UntypedBase;
        while (largest > PoolPlan.Block && (start + AlignUp(BeforeUntyped(tables), PoolPlan.Block)) % largest != PoolPlan.Block)
        {
            start += PoolPlan.Block;
        }

        FakeMachine.Reset((int)(start - FakeMachine.MemoryBase + poolBytes));
        FakeMachine.At<BootInfo>(InfoPage) = new BootInfo
        {
            Magic = BootInfo.MagicValue,
            ImageHeader = HeaderPage,
            UntypedBase = start,
            UntypedBytes = poolBytes,
            RamBase = FakeMachine.LinuxBase,
            RamBytes = FakeMachine.LinuxBytes,
            CpuCount = 4,
            Seed1 = 1,
        };
        ImageHeader header = tables.Header;
        header.Components = ComponentsPages;
        header.Services = ServicesPages;
        FakeMachine.At<ImageHeader>(HeaderPage) = header;
        for (int i = 0; i < tables.Components.Length; i++)
        {
            ComponentEntry entry = tables.Components[i];
            for (int s = 0; s < (int)entry.SegmentCount; s++)
            {
                // Contents do not matter, only that SK can read them.
                entry.Segments[s].PhysicalBase = ImagePages;
            }

            FakeMachine.At<ComponentEntry>(ComponentsPages + ((ulong)i * (ulong)Unsafe.SizeOf<ComponentEntry>())) = entry;
        }

        for (int i = 0; i < tables.Services.Length; i++)
        {
            FakeMachine.At<ServiceEntry>(ServicesPages + ((ulong)i * (ulong)Unsafe.SizeOf<ServiceEntry>())) = tables.Services[i];
        }

        return new Sk();
    }

    /// <summary>What SK takes before the first untyped memory that is larger than the pool's unit.</summary>
    private static ulong BeforeUntyped(ImageTables tables) => (ulong)PoolPlan.SecureKernelBytes(
        [.. tables.Components.Select(c => PoolShare.Of(
            c.Flags,
            c.QuotaBytes,
            c.MaxThreads,
            ((ReadOnlySpan<GrantEntry>)c.Grants).ToArray().TakeWhile(g => g.Kind != GrantKind.Untyped || g.Argument <= PoolPlan.Block)))]);

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);

    private static string Expect(Sk sk, Holding held)
    {
        const CapabilityRights OwnRights = CapabilityRights.Receive;
        return held switch
        {
            { Kind: GrantKind.Endpoint, Origin: HoldingOrigin.Own } => Line(held.Slot, CapabilityKind.Endpoint, OwnRights, sk.At((int)held.Argument).Endpoint, 0, original: true),
            { Kind: GrantKind.Endpoint } => Line(held.Slot, CapabilityKind.Endpoint, CapabilityRights.Send, sk.At((int)held.Argument).Endpoint, held.Badge, original: false),
            { Kind: GrantKind.Device } => Line(held.Slot, CapabilityKind.Device, CapabilityRights.Map, held.Argument, 0, original: false),
            { Kind: GrantKind.Interrupt } => Line(held.Slot, CapabilityKind.Interrupt, CapabilityRights.Use, held.Argument * Capability.ObjectBytes, 0, original: false),
            { Kind: GrantKind.DmaAddress } => Line(held.Slot, CapabilityKind.DmaAddress, CapabilityRights.Use, 0, 0, original: false),
            { Kind: GrantKind.Downcall } => Line(held.Slot, CapabilityKind.Downcall, CapabilityRights.Use, 0, 0, original: false),
            { Kind: GrantKind.Counters } => Line(held.Slot, CapabilityKind.Counters, CapabilityRights.Use, 0, 0, original: false),
            { Kind: GrantKind.Kit } => Line(held.Slot, CapabilityKind.Kit, CapabilityRights.Use, held.Argument, held.Badge, original: false),
            { Kind: GrantKind.Untyped } => Line(held.Slot, CapabilityKind.Untyped, CapabilityRights.Use, held.Argument, 0, original: true),
            _ => throw new InvalidOperationException(held.ToString()),
        };
    }

    /// <summary>Untyped memory by its size; where it lies nobody declares, but at a multiple of the size and where nobody else's is.</summary>
    private static List<string> Held(Sk sk, int component, bool hasRest)
    {
        List<string> held = [];
        CapabilityTable table = sk.At(component).Capabilities;
        for (uint index = 0; index < (hasRest ? MintSlots.Rest : table.Slots); index++)
        {
            CapabilitySlot slot = FakeMachine.At<CapabilitySlot>(table.Base + (index * CapabilitySlot.Bytes));
            if (slot.IsEmpty)
            {
                continue;
            }

            Capability capability = slot.Capability;
            bool untyped = capability.Kind == CapabilityKind.Untyped;
            ulong target = untyped ? 1ul << capability.SizeLog2 : capability.Object;
            Assert.Equal(0ul, untyped ? capability.Object % target : 0);
            held.Add(Line(index, capability.Kind, capability.Rights, target, slot.Badge, capability.IsOriginal));
        }

        return held;
    }

    private static string Line(uint slot, CapabilityKind kind, CapabilityRights rights, ulong target, ulong badge, bool original) =>
        $"{slot}: {kind} {rights} {target:x} badge {badge}{(original ? " original" : "")}";
}
