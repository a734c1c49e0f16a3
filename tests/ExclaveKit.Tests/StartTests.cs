using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>What the program finds on its stack, and the layouts that assembly relies on.</summary>
public class StartTests
{
    [Fact]
    public void TheInitialStackIsLinuxs()
    {
        TestKit kit = new();
        ulong at = kit.Live.StackPointer;
        Assert.Equal(0UL, at & 15);
        Assert.Equal(TestKit.ProgramEntry, kit.Live.ProgramCounter);
        Assert.Equal(1UL, kit.Get<ulong>(at));
        Assert.Equal("test.conclave", Text(kit, kit.Get<ulong>(at + 8)));
        Assert.Equal(0UL, kit.Get<ulong>(at + 16));

        List<string> environment = [];
        for (at += 24; kit.Get<ulong>(at) != 0; at += 8) { environment.Add(Text(kit, kit.Get<ulong>(at))); }

        Assert.Contains($"DOTNET_GCHeapHardLimit={kit.State.CommitLimit * 4096 / 2:X}", environment);
        Assert.Contains("DOTNET_gcConcurrent=0", environment);
        Assert.Contains("MALLOC_ARENA_MAX=1", environment);

        Dictionary<ulong, ulong> auxiliary = [];
        for (at += 8; kit.Get<ulong>(at) != 0; at += 16) { auxiliary.Add(kit.Get<ulong>(at), kit.Get<ulong>(at + 8)); }

        Assert.Equal(TestKit.ProgramBase + 64, auxiliary[3]);
        Assert.Equal(56UL, auxiliary[4]);
        Assert.Equal(3UL, auxiliary[5]);
        Assert.Equal(4096UL, auxiliary[6]);
        Assert.Equal(0UL, auxiliary[7]);
        Assert.Equal(TestKit.ProgramEntry, auxiliary[9]);
        Assert.Equal(0UL, auxiliary[16] & (1 << 11));
        Assert.Equal(0UL, auxiliary[23]);

        // AT_RANDOM is the last 16 bytes of the pool, and the pool has forgotten them.
        byte[] random = kit.Get(auxiliary[25], 16);
        Assert.Equal(unchecked((byte)(KitState.RandomBytes - 15)), random[0]);
        Assert.Equal(KitState.RandomBytes - 16, kit.State.RandomLeft);
        Assert.Equal(0, kit.State.Random[KitState.RandomBytes - 1]);
    }

    [Fact]
    public void TheStackIsBackedOnTouchAndGuarded()
    {
        TestKit kit = new();
        kit.State.Actions[(int)Signal.Segmentation - 1].Handler = 0x1234;
        Assert.True(kit.Touch(kit.State.StackStart, write: true));
        Assert.False(kit.Touch(kit.State.StackStart - 1, write: true));
    }

    [Fact]
    public void WithoutEntropyThereIsNoStart()
    {
        FakeWorld world = new();
        Holder holder = new();
        Assert.Throws<ConclaveEnded>(() =>
        {
            FakeMachine machine = new(world);
            StartInfo info = new() { QuotaBytes = 1 << 24 };
            new Personality<FakeMachine>(ref holder.State, ref machine, KitState.MainThread).Start(in info);
        });
        Assert.Contains("entropy", string.Join('\n', world.Log));
    }

    private sealed class Holder
    {
        public KitState State = default;
    }

    [Fact]
    public void AssemblyKnowsWhereThingsLie()
    {
        Assert.Equal(120, (int)Marshal.OffsetOf<StartInfo>(nameof(StartInfo.Cookie)));
        Assert.Equal(832, Marshal.SizeOf<UserContext>());
        Assert.Equal(17UL, (ulong)SecureCall.ResumeContext);
        Assert.Equal(19UL, (ulong)SecureCall.Exit);
        Assert.Equal(139UL, (ulong)LinuxCall.RtSigReturn);
        Assert.Equal(32, Marshal.SizeOf<SignalAction>());
        Assert.Equal(24, Marshal.SizeOf<StackDescription>());
        Assert.Equal(0, SignalFrame.Bytes % 16);
        Assert.Equal(4688 + 16, SignalFrame.Bytes);
    }

    private static string Text(TestKit kit, ulong address)
    {
        List<byte> bytes = [];
        for (; kit.Get<byte>(address) != 0; address++) { bytes.Add(kit.Get<byte>(address)); }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
