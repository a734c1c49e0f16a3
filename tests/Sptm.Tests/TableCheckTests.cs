using System;
using System.Text;
using Exclaves.Abi;
using Exclaves.Sptm.Image;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The walk of `Sptm.Checked` on tables that the monitor's code made: they agree, and each difference is found where it is.</summary>
public class TableCheckTests
{
    private const ulong LinuxRoot = 0x7FE0_0000;
    private const ulong SecureRoot = LinuxRoot + 0x2000;
    private const ulong PoolBase = LinuxRoot + 0x4000;
    private const ulong Smmu = 0x7FD0_0000;
    private const ulong Ram = 0x5000_0000;
    private const ulong Above = DmaWindow.Limit;
    private const ulong Private = 0x4040_0000;

    private readonly FrameEntry[] _entries = new FrameEntry[Ram >> FrameTable.PageShift];
    private readonly Stage2<FakeMachine> _linux = new(LinuxRoot, 1, FrameAccess.All);
    private readonly Stage2<FakeMachine> _secure = new(SecureRoot, 2, FrameAccess.None);
    private TablePool _pool = new(PoolBase, 0x1F_C000);

    public TableCheckTests()
    {
        FakeMachine.Reset();
        Assert.Equal(Status.Ok, Frames.Claim(LinuxRoot, 0x20_0000, FrameType.SptmPageTable));
        Assert.Equal(Status.Ok, Frames.Claim(Smmu, SmmuTables.Bytes, FrameType.SptmIommuBootstrap));
        Assert.Equal(Status.Ok, Frames.Claim(Private, 0x20_0000, FrameType.SkDefault));
        Frames.ClaimRestForLinux();
        for (ulong address = Virt.RamBase; address < Virt.RamBase + Ram;)
        {
            ulong length = Frames.RunLength(address, Virt.RamBase + Ram - address);
            Map(_linux, address, length, FrameRules.LinuxAccess(Frames.TypeOf(address)), device: false);
            Map(_secure, address, length, FrameRules.SkAccess(Frames.TypeOf(address)), device: false);
            address += length;
        }

        Map(_linux, Virt.Uart, 0x1000, FrameAccess.ReadWrite, device: true);
        Map(_linux, Virt.PcieHigh, Virt.PcieHighBytes, FrameAccess.ReadWrite, device: true);
        Map(_secure, Virt.EntropyDevice, 0x1000, FrameAccess.ReadWrite, device: true);
        ulong[] smmu = new ulong[SmmuTables.Bytes / 8];
        Assert.True(SmmuTables.TryBuild(smmu, Smmu, Frames));
        for (int i = 0; i < smmu.Length; i++)
        {
            FakeMachine.Memory[Smmu + ((ulong)i * 8)] = smmu[i];
        }

        Assert.Equal(Status.Ok, Sharing.Share(Frames, _secure, ref _pool, Above));
        Assert.Equal(Status.Ok, Retype.Apply(Domain.Sk, Frames, _linux, _secure, ref _pool, Above + 0x3000, FrameType.XnuDefault, FrameType.SkDonated));
    }

    private FrameTable Frames => new(_entries, Virt.RamBase);

    private void Map(Stage2<FakeMachine> tables, ulong start, ulong bytes, FrameAccess access, bool device)
    {
        if (access != FrameAccess.None)
        {
            Assert.Equal(Status.Ok, tables.SetRange(ref _pool, start, bytes, access, device));
        }
    }

    private string Check()
    {
        TableCheck<FakeMachine> check = new(Frames, Ram, 2);
        bool agrees = check.CheckFrames() && check.CheckStage2(LinuxRoot, isLinux: true) && check.CheckStage2(SecureRoot, isLinux: false) && check.CheckSmmu(Smmu);
        Assert.Equal(agrees, check.Rule.IsEmpty);
        return agrees ? "" : $"{Encoding.ASCII.GetString(check.Rule)} {check.Address:x}";
    }

    [Fact]
    public void WhatTheMonitorMadeAgrees() => Assert.Equal("", Check());

    [Fact]
    public void OneFrameAgreesWithAllOfThem()
    {
        TableCheck<FakeMachine> check = new(Frames, Ram, 2);
        foreach (ulong address in (ReadOnlySpan<ulong>)[Above, Above + 0x3000, Above + 0x4000, Private, Virt.RamBase])
        {
            Assert.True(check.CheckFrame(LinuxRoot, isLinux: true, address) && check.CheckFrame(SecureRoot, isLinux: false, address));
        }

        Frames.Entry(Above + 0x4000).Type = FrameType.SkDonated;
        Assert.False(check.CheckFrame(LinuxRoot, isLinux: true, Above + 0x4000));
    }

    [Theory]
    [InlineData(FrameType.SkDefault, Above + 0x9000)]
    [InlineData(FrameType.XnuDefault, Private + 0x5000)]
    [InlineData(FrameType.SkConst, Private)]
    public void AnotherTypeIsFound(FrameType type, ulong address)
    {
        Frames.Entry(address).Type = type;
        Assert.EndsWith($"stage 2 and the type of a frame differ {address:x}", Check());
    }

    [Fact]
    public void CountsAreFound()
    {
        Frames.Entry(Above + 0x9000).BorrowCount = 1;
        Assert.Equal($"type and borrow count of a frame differ {Above + 0x9000:x}", Check());
        Frames.Entry(Above + 0x9000).BorrowCount = 0;
        Frames.Entry(Private).ArgumentCount = 1;
        Assert.Equal($"a request names a frame that is not Linux's {Private:x}", Check());
    }

    [Theory]
    [InlineData(Virt.VirtioMmio, true)]
    [InlineData(Virt.Smmu, true)]
    [InlineData(Virt.Uart, false)]
    [InlineData(0x90_0000_0000ul, false)]
    public void ADeviceOfSomebodyElseIsFound(ulong device, bool isLinux)
    {
        Map(isLinux ? _linux : _secure, device, 0x1000, FrameAccess.ReadWrite, device: true);
        Assert.Equal($"stage 2 maps what is neither memory nor a device of this world {device:x}", Check());
    }

    [Fact]
    public void WhatIsNoIdentityOrWritableAndExecutableIsFound()
    {
        ulong entry = Entry(SecureRoot, Private);
        ulong leaf = FakeMachine.Memory[entry];
        FakeMachine.Memory[entry] = leaf & ~(3ul << 53);
        Assert.Equal($"SK may write and execute {Private:x}", Check());
        FakeMachine.Memory[entry] = leaf ^ (1ul << 31);
        Assert.Equal($"stage 2 is no identity {Private:x}", Check());
    }

    [Theory]
    [InlineData(SmmuTables.StreamRoot + 800, "a range of streams leads elsewhere 64")]
    [InlineData(SmmuTables.StreamEntries + (64 * 5), "a stream has an entry of its own 5")]
    [InlineData(SmmuTables.Context + 8, "the streams' context has another table 0")]
    public void AChangedStreamIsFound(ulong offset, string rule)
    {
        FakeMachine.Memory[Smmu + offset] ^= 1ul << 20;
        Assert.Equal(rule, Check());
    }

    [Fact]
    public void AWindowOntoSecureMemoryIsFound()
    {
        FakeMachine.Memory[Smmu + SmmuTables.WindowBlocks + ((Private - DmaWindow.Base) >> 21 << 3)] = Private | (3ul << 53) | 0x701;
        Assert.Equal($"devices reach what is not Linux's memory {Private:x}", Check());
    }

    /// <summary>Address of the entry that translates <paramref name="address"/>.</summary>
    private static ulong Entry(ulong root, ulong address)
    {
        ulong table = root;
        for (int level = 1; ; level++)
        {
            ulong entry = table + (((address >> (39 - (9 * level))) & 0x1FF) * 8);
            ulong descriptor = FakeMachine.Memory[entry];
            if (level == 3 || (descriptor & 3) != 3)
            {
                return entry;
            }

            table = descriptor & 0xFFFF_FFFF_F000;
        }
    }
}
