using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Retype: every caller, every pair of types, and what it leaves in both translations (I1, I2, I4).</summary>
public class RetypeTests
{
    private const ulong LinuxRoot = 0x1_0000_0000;
    private const ulong SecureRoot = 0x1_0001_0000;
    private const ulong PoolBase = 0x1_0010_0000;
    private const ulong Block = 0x20_0000;

    /// <summary>First frame above the DMA window.</summary>
    private const ulong Above = DmaWindow.Limit;
    private const int FramesOfBlock = (int)(Block / FrameTable.PageBytes);

    private static readonly FrameType[] Types = Enum.GetValues<FrameType>();
    private static readonly Domain[] Callers = Enum.GetValues<Domain>();

    private static readonly (Domain Caller, FrameType From, FrameType To)[] Legal =
    [
        (Domain.Sk, FrameType.XnuDefault, FrameType.SkDonated),
        (Domain.Sk, FrameType.SkDonated, FrameType.XnuDefault),
        (Domain.Sptm, FrameType.SkDonated, FrameType.XnuDefault),
        (Domain.Sk, FrameType.SkDonated, FrameType.SkSharedRo),
        (Domain.Sk, FrameType.SkSharedRo, FrameType.SkDonated),
        (Domain.Sk, FrameType.SkSharedRo, FrameType.XnuDefault),
        (Domain.Sptm, FrameType.SkSharedRo, FrameType.XnuDefault),
    ];

    /// <summary>A machine with one block in the window and two above it, all Linux's.</summary>
    private sealed class World
    {
        private readonly FrameEntry[] _entries = new FrameEntry[3 * FramesOfBlock];
        private Stage2<FakeMachine> _linux;
        private Stage2<FakeMachine> _secure;
        private TablePool _pool;

        public World(ulong poolBytes = 0x10_0000)
        {
            FakeMachine.Reset();
            _linux = new Stage2<FakeMachine>(LinuxRoot, 1, FrameAccess.All);
            _secure = new Stage2<FakeMachine>(SecureRoot, 2, FrameAccess.None);
            _pool = new TablePool(PoolBase, poolBytes);
            Frames.ClaimRestForLinux();
            Assert.Equal(Status.Ok, _linux.SetRange(ref _pool, Above - Block, 3 * Block, FrameAccess.All, device: false));
        }

        public FrameTable Frames => new(_entries, Above - Block);

        public ulong FreeBytes => _pool.FreeBytes;

        public FrameAccess Linux(ulong address) => Stage2Descriptor.AccessOf(_linux.Lookup(address));

        public FrameAccess Secure(ulong address) => Stage2Descriptor.AccessOf(_secure.Lookup(address));

        public Status Retype(Domain caller, ulong address, FrameType from, FrameType to) =>
            Sptm.Retype.Apply(caller, Frames, _linux, _secure, ref _pool, address, from, to);

        public Status Share(ulong address) => Sharing.Share(Frames, _secure, ref _pool, address);

        public Status Unshare(ulong address) => Sharing.Unshare(Frames, _secure, ref _pool, address);

        /// <summary>Gives a frame a type as boot would, with the mappings that belong to it.</summary>
        public void Force(ulong address, FrameType type)
        {
            Frames.Entry(address).Type = type;
            _linux.SetRange(ref _pool, address, FrameTable.PageBytes, FrameRules.LinuxAccess(type), device: false);
            _secure.SetRange(ref _pool, address, FrameTable.PageBytes, FrameRules.SkAccess(type), device: false);
        }

        /// <summary>The tables say of every frame what its type says.</summary>
        public void Check()
        {
            for (ulong address = Above - Block; address < Above + (2 * Block); address += FrameTable.PageBytes)
            {
                FrameType type = Frames.TypeOf(address);
                Assert.Equal(FrameRules.LinuxAccess(type), Linux(address));
                Assert.Equal(FrameRules.SkAccess(type), Secure(address));
            }

            Assert.Equal(0, FakeMachine.Stale);
        }
    }

    [Fact]
    public void OnlyTheLegalEdgesChangeAnything()
    {
        World world = new();
        foreach (Domain caller in Callers)
        {
            foreach (FrameType actual in Types)
            {
                foreach (FrameType stated in Types)
                {
                    foreach (FrameType next in Types)
                    {
                        world.Force(Above, actual);
                        int cleared = FakeMachine.Cleared.Count;
                        Status status = world.Retype(caller, Above, stated, next);
                        bool isEdge = Legal.Contains((caller, stated, next));
                        Assert.Equal(!isEdge ? Status.BadArgument : stated != actual ? Status.Denied : Status.Ok, status);
                        Assert.Equal(status == Status.Ok ? next : actual, world.Frames.TypeOf(Above));
                        Assert.Equal(status == Status.Ok, FakeMachine.Cleared.Skip(cleared).Contains(Above));
                        Assert.Equal(FrameRules.LinuxAccess(world.Frames.TypeOf(Above)), world.Linux(Above));
                        Assert.Equal(FrameRules.SkAccess(world.Frames.TypeOf(Above)), world.Secure(Above));
                    }
                }
            }
        }
    }

    [Fact]
    public void NothingThatDevicesReachIsDonated()
    {
        World world = new();
        Assert.Equal(Status.Denied, world.Retype(Domain.Sk, Above - FrameTable.PageBytes, FrameType.XnuDefault, FrameType.SkDonated));
        Assert.Equal(Status.Ok, world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated));
        world.Check();
    }

    [Fact]
    public void NothingInUseIsDonated()
    {
        World world = new();
        Assert.Equal(Status.Ok, world.Share(Above));
        Assert.Equal(Status.Denied, world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated));
        Assert.Equal(Status.Ok, world.Unshare(Above));
        FrameRules.Apply(ref world.Frames.Entry(Above), FrameOperation.NameArgument);
        Assert.Equal(Status.Busy, world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated));
        FrameRules.Apply(ref world.Frames.Entry(Above), FrameOperation.ForgetArgument);
        Assert.Equal(Status.Ok, world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated));
        Assert.Equal(Status.Denied, world.Share(Above));
        world.Check();
    }

    [Theory]
    [InlineData(Above + 1)]
    [InlineData(0ul)]
    [InlineData(0x0900_0000ul)]
    [InlineData(Above + (2 * Block))]
    [InlineData(ulong.MaxValue & ~0xFFFul)]
    public void WhatIsNoFrameIsRefused(ulong address) =>
        Assert.Equal(Status.BadAddress, new World().Retype(Domain.Sk, address, FrameType.XnuDefault, FrameType.SkDonated));

    [Fact]
    public void WithoutTablesNothingChanges()
    {
        World world = new(poolBytes: 5 * FrameTable.PageBytes);
        Assert.True(world.FreeBytes < 4 * FrameTable.PageBytes);
        Assert.Equal(Status.Busy, world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated));
        world.Check();
    }

    [Fact]
    public void BlocksComeBackAndNoTableIsLost()
    {
        World world = new();
        world.Retype(Domain.Sk, Above, FrameType.XnuDefault, FrameType.SkDonated);
        world.Retype(Domain.Sk, Above, FrameType.SkDonated, FrameType.XnuDefault);
        ulong free = world.FreeBytes;
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 2 * FramesOfBlock; i++)
            {
                Assert.Equal(Status.Ok, world.Retype(Domain.Sk, Above + ((ulong)i << 12), FrameType.XnuDefault, FrameType.SkDonated));
            }

            Assert.True(world.FreeBytes < free);
            for (int i = 0; i < 2 * FramesOfBlock; i++)
            {
                // Down in one round, up in the next, and from the middle.
                int at = round switch { 0 => i, 1 => (2 * FramesOfBlock) - 1 - i, _ => (i + 700) % (2 * FramesOfBlock) };
                Assert.Equal(Status.Ok, world.Retype(Domain.Sk, Above + ((ulong)at << 12), FrameType.SkDonated, FrameType.XnuDefault));
            }

            Assert.Equal(free, world.FreeBytes);
            world.Check();
        }
    }

    [Fact]
    public void RandomUseKeepsTablesAndTypesTogether()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 6]).Array[1, 300].Sample(steps =>
        {
            World world = new();
            foreach (var (frame, what, edge) in steps)
            {
                ulong address = Above - FrameTable.PageBytes + ((ulong)frame << 12);
                switch (what)
                {
                    case 0:
                        world.Share(address);
                        break;
                    case 1:
                        world.Unshare(address);
                        break;
                    default:
                        world.Retype(Legal[edge].Caller, address, Legal[edge].From, Legal[edge].To);
                        break;
                }

                Assert.False(DmaWindow.Contains(address) && world.Frames.TypeOf(address) is FrameType.SkDonated or FrameType.SkSharedRo && DmaWindow.Contains(address));
            }

            world.Check();
        }, iter: 100);
    }
}
