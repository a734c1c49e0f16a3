using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Memory of one component against a dictionary, through the system calls themselves.</summary>
public class AddressSpaceTests
{
    private const ulong Page = Limits.PageBytes;
    private const ulong QuotaPages = 512;
    private const ulong PoolBase = FakeMachine.MemoryBase + 0x10_0000;

    /// <summary>Without donated memory: only read.</summary>
    [ThreadStatic]
    private static KernelState _kernel;

    private sealed class Owner
    {
        public Thread Thread;

        public Owner(ulong pages = QuotaPages)
        {
            FakeMachine.Reset();
            _kernel.Components[0] = default;
            Component.Capabilities.Base = PoolBase - Page;
            Component.Capabilities.Slots = CapabilityTable.PageSlots;
            Component.Memory.Initialize(PoolBase, pages * Page);
            Component.Space.Id = 1;
            Component.Space.Root = Component.Memory.Allocate<FakeMachine>();
        }

        /// <summary>The first of the kernel's; the thread is one of it.</summary>
        public static ref Component Component => ref _kernel.Components[0];

        public static PageEntry At(ulong address) => Component.Space.Lookup<FakeMachine>(address);

        /// <summary>A call as EL0 makes it: chunk after chunk, with x0 and x1 moved on.</summary>
        public Status Call(SecureCall call, ulong address, ulong pages, MemoryAccess access = MemoryAccess.None)
        {
            ref UserContext context = ref Thread.Context;
            context.X[0] = address;
            context.X[1] = pages;
            context.X[2] = (ulong)access;
            while (true)
            {
                ulong done;
                Status status = call switch
                {
                    SecureCall.MapMemory => MemoryCalls<FakeMachine>.Map(ref _kernel, ref Thread, out done),
                    SecureCall.UnmapMemory => MemoryCalls<FakeMachine>.Unmap(ref _kernel, ref Thread, out done),
                    _ => MemoryCalls<FakeMachine>.Protect(ref _kernel, ref Thread, out done),
                };
                if (status != Status.Ok || done >= context.X[1])
                {
                    return status;
                }

                Assert.True(done > 0);
                context.X[0] += done * Page;
                context.X[1] -= done;
            }
        }
    }

    /// <summary>Places near the borders of tables of every level.</summary>
    private static readonly ulong[] Places =
    [
        AddressSpace.Lowest, UserLayout.MmapBase, UserLayout.MmapBase + 0x1F_0000, UserLayout.MmapBase + 0x3FFF_0000, UserLayout.MmapBase + 0x7F_FFFF_0000,
        UserLayout.PrivateBase,
    ];

    [Fact]
    public void RandomWalksMatchADictionary()
    {
        Gen<(int What, int Place, int Offset, int Pages, int Access)[]> walk =
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, Places.Length - 1], Gen.Int[0, 24], Gen.Int[1, 150], Gen.Int[0, 4]).Array[1, 40];
        MemoryAccess[] choices = [MemoryAccess.None, MemoryAccess.Read, MemoryAccess.Read | MemoryAccess.Write, MemoryAccess.Read | MemoryAccess.Execute, (MemoryAccess)7];
        walk.Sample(steps =>
        {
            Owner owner = new();
            Dictionary<ulong, (MemoryAccess Access, ulong Frame)> model = [];
            foreach (var (what, place, offset, count, choice) in steps)
            {
                ulong start = Places[place] + ((ulong)offset * Page);
                ulong[] range = [.. Enumerable.Range(0, count).Select(i => start + ((ulong)i * Page))];
                MemoryAccess access = choices[choice];
                bool plain = access is MemoryAccess.Read or (MemoryAccess.Read | MemoryAccess.Write);
                ulong free = Owner.Component.Memory.FreeFrames;
                switch (what)
                {
                    case 0 or 1:
                        Status mapped = owner.Call(SecureCall.MapMemory, start, (ulong)count, access);
                        if (mapped == Status.Ok)
                        {
                            Assert.True(plain && !range.Any(model.ContainsKey));
                            foreach (ulong address in range)
                            {
                                ulong frame = Owner.At(address).Frame;
                                Assert.True(FakeMachine.Machine.Memory.AsSpan((int)(frame - FakeMachine.MemoryBase), 4096).IndexOfAnyExcept((byte)0) < 0);
                                FakeMachine.Machine.Memory.AsSpan((int)(frame - FakeMachine.MemoryBase), 4096).Fill(0xD1);
                                model[address] = (access, frame);
                            }
                        }
                        else
                        {
                            Assert.Equal(free, Owner.Component.Memory.FreeFrames);
                            Assert.Equal(!plain ? Status.BadArgument : mapped == Status.NoMemory ? Status.NoMemory : Status.BadAddress, mapped);
                            Assert.True(mapped != Status.BadAddress || range.Any(model.ContainsKey));
                            Assert.True(mapped != Status.NoMemory || (ulong)count + 9 > free);
                        }

                        break;
                    case 2 or 3:
                        Assert.Equal(Status.Ok, owner.Call(SecureCall.UnmapMemory, start, (ulong)count));
                        Array.ForEach(range, address => model.Remove(address));
                        break;
                    default:
                        Assert.Equal(plain || access == MemoryAccess.None, owner.Call(SecureCall.ProtectMemory, start, (ulong)count, access) == Status.Ok);
                        foreach (ulong address in range.Where(a => model.ContainsKey(a) && (plain || access == MemoryAccess.None)))
                        {
                            model[address] = (access, model[address].Frame);
                        }

                        break;
                }

                Check(owner, model);
            }

            foreach (ulong place in Places)
            {
                Assert.Equal(Status.Ok, owner.Call(SecureCall.UnmapMemory, place, 300));
            }

            Assert.Equal(1ul, Owner.Component.Memory.UsedFrames);
            Assert.Empty(FakeMachine.Machine.Reachable);
        }, iter: 300);
    }

    private static void Check(Owner owner, Dictionary<ulong, (MemoryAccess Access, ulong Frame)> model)
    {
        Assert.Equal(model.Count, model.Values.Select(page => page.Frame).Distinct().Count());
        foreach (ulong place in Places)
        {
            for (ulong i = 0; i < 176; i++)
            {
                ulong address = place + (i * Page);
                PageEntry entry = Owner.At(address);
                Assert.False(entry.IsWritable && entry.IsExecutable);
                Assert.False(entry.IsExecutable);
                bool there = model.TryGetValue(address, out var expected);
                Assert.Equal(there, !entry.IsHole);
                if (there)
                {
                    Assert.Equal((expected.Frame, PageSource.Owned, expected.Access != MemoryAccess.None), (entry.Frame, entry.Source, entry.IsValid));
                    Assert.Equal((expected.Access & MemoryAccess.Write) != 0, entry.IsWritable);
                    Assert.Equal(expected.Access != MemoryAccess.None ? expected.Frame + 5 : 0, Owner.Component.Space.Translate<FakeMachine>(address + 5, write: false));
                    Assert.Equal(entry.IsWritable ? expected.Frame : 0, Owner.Component.Space.Translate<FakeMachine>(address, write: true));
                }
            }
        }
    }

    /// <summary>A map that does not fit to the last table maps nothing, whatever its size: no quota is too odd.</summary>
    [Fact]
    public void MapIsAllOrNothingForEveryQuota()
    {
        for (ulong quota = 130; quota < 150; quota++)
        {
            Owner owner = new(quota);
            Status status = owner.Call(SecureCall.MapMemory, UserLayout.MmapBase + 0x1F_0000, 130, MemoryAccess.Read | MemoryAccess.Write);

            // 130 pages over a 2 MiB border: the root, one table each of levels 1 and 2, two of level 3.
            Assert.Equal(quota >= 130 + 5 ? Status.Ok : Status.NoMemory, status);
            Assert.Equal(status == Status.Ok ? 135ul : 1, Owner.Component.Memory.UsedFrames);
        }
    }

    public static TheoryData<ulong, ulong> BadRanges => new()
    {
        { 0, 1 },
        { 0xF000, 1 },
        { 0xF000, 2 },
        { AddressSpace.Lowest + 1, 1 },
        { AddressSpace.Lowest, 0 },
        { UserLayout.MmapBase, ulong.MaxValue },
        { UserLayout.MmapBase, 1ul << 52 },
        { UserLayout.End - Page, 2 },
        { UserLayout.End, 1 },
        { 0xFFFF_0000_0000_0000, 1 },
        { ulong.MaxValue & ~0xFFFul, 1 },
        { UserLayout.SharedBase, 1 },
        { UserLayout.SharedEnd - Page, 1 },
        { UserLayout.SharedBase - Page, 2 },
        { UserLayout.StackTop - UserLayout.StackBytes - Page, 1 },
        { UserLayout.StackTop - UserLayout.StackBytes - (2 * Page), 2 },
    };

    [Theory]
    [MemberData(nameof(BadRanges))]
    public void BadRangesAreRefused(ulong address, ulong pages)
    {
        Owner owner = new();
        Assert.Equal(Status.BadArgument, owner.Call(SecureCall.MapMemory, address, pages, MemoryAccess.Read));
        Assert.Equal(Status.BadArgument, owner.Call(SecureCall.UnmapMemory, address, pages));
        Assert.Equal(Status.BadArgument, owner.Call(SecureCall.ProtectMemory, address, pages, MemoryAccess.Read));
        Assert.Equal(1ul, Owner.Component.Memory.UsedFrames);
    }

    [Theory]
    [InlineData(PageSource.Image, PageAccess.ReadExecute)]
    [InlineData(PageSource.Fixed, PageAccess.ReadWrite)]
    [InlineData(PageSource.Shared, PageAccess.ReadWrite)]
    [InlineData(PageSource.Device, PageAccess.ReadWrite)]
    public void OnlyOwnedFramesAreTheComponentsToChange(PageSource source, PageAccess access)
    {
        Owner owner = new();
        ulong address = UserLayout.MmapBase + (3 * Page);
        Assert.Equal(Status.Ok, Owner.Component.Space.Map<FakeMachine>(ref Owner.Component.Memory, address, PageEntry.Create(PoolBase, access, source)));
        PageEntry before = Owner.At(address);
        Assert.Equal(Status.BadAddress, owner.Call(SecureCall.UnmapMemory, UserLayout.MmapBase, 10));
        Assert.Equal(Status.BadAddress, owner.Call(SecureCall.ProtectMemory, UserLayout.MmapBase, 10, MemoryAccess.Read | MemoryAccess.Write));
        Assert.Equal(Status.BadAddress, owner.Call(SecureCall.MapMemory, UserLayout.MmapBase, 10, MemoryAccess.Read));
        Assert.Equal(before.Value, Owner.At(address).Value);
        bool reachable = source is PageSource.Image or PageSource.Fixed;
        Assert.Equal(reachable, Owner.Component.Space.Translate<FakeMachine>(address, write: false) != 0);
        Assert.Equal(source == PageSource.Fixed, Owner.Component.Space.Translate<FakeMachine>(address, write: true) != 0);
    }

    [Fact]
    public void EntriesNeverWriteAndExecute()
    {
        foreach (PageAccess access in Enum.GetValues<PageAccess>().Append((PageAccess)99))
        {
            foreach (PageSource source in Enum.GetValues<PageSource>().Where(s => s != PageSource.None))
            {
                PageEntry entry = PageEntry.Create(0x1234_5000, access, source);
                Assert.False(entry.IsWritable && entry.IsExecutable);
                Assert.Equal((0x1234_5000ul, source), (entry.Frame, entry.Source));
                Assert.False(entry.IsHole);
                Assert.Equal(access is PageAccess.Read or PageAccess.ReadWrite or PageAccess.ReadExecute, entry.IsValid);
                Assert.NotEqual(0ul, entry.Value & (1ul << 53));
            }
        }

        Assert.True(default(PageEntry).IsHole);
        Assert.False(default(PageEntry).IsValid);
    }

    [Fact]
    public void TableCountsTileTheirEntry()
    {
        TableEntry table = TableEntry.Create(0xFFFF_FFFF_F000);
        for (ulong count = 0; count <= 512; count++)
        {
            TableEntry counted = table.WithCount(count);
            Assert.Equal((count, 0xFFFF_FFFF_F000ul, 3ul), (counted.Count, counted.Next, counted.Value & 3));
        }

        Assert.True(default(TableEntry).IsHole);
    }

    [Fact]
    public void EveryFrameGivenOutIsZeroAndGivenOnce()
    {
        Gen.Int[0, 2].Array[1, 200].Sample(steps =>
        {
            FakeMachine.Reset();
            Untyped memory = default;
            memory.Initialize(PoolBase, 20 * Page);
            List<ulong> held = [];
            foreach (int step in steps)
            {
                if (step > 0)
                {
                    ulong frame = memory.Allocate<FakeMachine>();
                    Assert.Equal(held.Count == 20, frame == 0);
                    if (frame != 0)
                    {
                        Assert.DoesNotContain(frame, held);
                        Assert.True(FakeMachine.Machine.Memory.AsSpan((int)(frame - FakeMachine.MemoryBase), 4096).IndexOfAnyExcept((byte)0) < 0);
                        FakeMachine.Machine.Memory.AsSpan((int)(frame - FakeMachine.MemoryBase), 4096).Fill(0xEE);
                        held.Add(frame);
                    }
                }
                else if (held.Count != 0)
                {
                    memory.Release<FakeMachine>(held[held.Count / 2]);
                    held.RemoveAt(held.Count / 2);
                }

                Assert.Equal(((ulong)held.Count, 20 - (ulong)held.Count), (memory.UsedFrames, memory.FreeFrames));
            }
        }, iter: 300);
    }

    [Fact]
    public void PhysicalAddressesAreForOwnFramesAndWithTheRightAlone()
    {
        Owner owner = new();
        owner.Call(SecureCall.MapMemory, UserLayout.MmapBase, 1, MemoryAccess.Read);
        owner.Thread.Context.X[0] = UserLayout.MmapBase + 12;
        Assert.Equal(Status.BadCapability, MemoryCalls<FakeMachine>.PhysicalAddress(ref _kernel, ref owner.Thread));
        Owner.Component.Capabilities.Insert<FakeMachine>(3, Capability.Create(CapabilityKind.DmaAddress, CapabilityRights.Use, 0), 0);
        Assert.Equal(Status.Ok, MemoryCalls<FakeMachine>.PhysicalAddress(ref _kernel, ref owner.Thread));
        Assert.Equal(Owner.At(UserLayout.MmapBase).Frame + 12, owner.Thread.Context.X[1]);
        foreach (ulong address in new ulong[] { 0, UserLayout.MmapBase + Page, UserLayout.End, ulong.MaxValue })
        {
            owner.Thread.Context.X[0] = address;
            Assert.Equal(Status.BadAddress, MemoryCalls<FakeMachine>.PhysicalAddress(ref _kernel, ref owner.Thread));
        }
    }

    [Fact]
    public void DevicesNeedTheirCapability()
    {
        Owner owner = new();
        Owner.Component.Capabilities.Insert<FakeMachine>(2, Capability.Create(CapabilityKind.Device, CapabilityRights.Map, Virt.EntropyDevice), 0);
        Owner.Component.Capabilities.Insert<FakeMachine>(3, Capability.Create(CapabilityKind.Endpoint, CapabilityRights.Send, 0x40), 0);
        foreach (ulong slot in new ulong[] { 0, 1, 3, 99, ulong.MaxValue })
        {
            (owner.Thread.Context.X[0], owner.Thread.Context.X[1]) = (slot, UserLayout.PrivateBase);
            Assert.Equal(Status.BadCapability, MemoryCalls<FakeMachine>.MapDevice(ref _kernel, ref owner.Thread));
        }

        (owner.Thread.Context.X[0], owner.Thread.Context.X[1]) = (2, UserLayout.PrivateBase);
        Assert.Equal(Status.Ok, MemoryCalls<FakeMachine>.MapDevice(ref _kernel, ref owner.Thread));
        PageEntry entry = Owner.At(UserLayout.PrivateBase);
        Assert.Equal((Virt.EntropyDevice, PageSource.Device, false), (entry.Frame, entry.Source, entry.IsExecutable));
    }
}
