using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The allow-lists of hypervisor, power and redistributor accesses.</summary>
public class CallPolicyTests
{
    private static FrameTable Frames()
    {
        FrameTable frames = new(new FrameEntry[16], Virt.RamBase);
        frames.Claim(Virt.RamBase, 0x2000, FrameType.SkDefault);
        frames.ClaimRestForLinux();
        return frames;
    }

    [Fact]
    public void HighHalfAndHintAreIgnored() => Assert.Equal(XnuFunction.CallsUid, LinuxCalls.FunctionOf(0xDEAD_BEEF_BF01_FF01));

    [Fact]
    public void TheProbeSequenceIsAnsweredAsTheDriverWants()
    {
        CallAnswer uid = LinuxCalls.AnswerFast(XnuFunction.CallsUid);
        Assert.Equal((0x384fb3e0ul, 0xe7f811e3ul, 0xaf630002ul, 0xa5d5c51bul), (uid.X0, uid.X1, uid.X2, uid.X3));
        Assert.Equal(2ul, LinuxCalls.AnswerFast(XnuFunction.CallsRevision).X0);
        CallAnswer capabilities = LinuxCalls.AnswerFast(XnuFunction.ExchangeCapabilities);
        Assert.Equal((0ul, 0x74ul, 127ul, 4ul), (capabilities.X0, capabilities.X1, capabilities.X2, capabilities.X3));
        Assert.Equal(0ul, LinuxCalls.AnswerFast(XnuFunction.EnableAsyncNotification).X0);

        // A pending value would keep Linux's interrupt handler in its loop.
        CallAnswer value = LinuxCalls.AnswerFast(XnuFunction.GetAsyncNotificationValue);
        Assert.Equal((0ul, 0ul, 1ul), (value.X0, value.X1, value.X2));
        Assert.Equal(7ul, LinuxCalls.AnswerFast(XnuFunction.DisableShmCache).X0);
        Assert.Equal(0xFFFF_FFFFul, LinuxCalls.AnswerFast((XnuFunction)0x1234).X0);
    }

    [Fact]
    public void OnlyTheListedPowerCallsPass()
    {
        int allowed = 0;
        foreach (uint owner in new uint[] { 0x8400_0000, 0xC400_0000, 0x8000_0000, 0x8600_0000, 0xC600_0000 })
        {
            for (uint number = 0; number < 0x1000; number++)
            {
                PsciDecision decision = PsciPolicy.Decide(owner | number, 0, 0, Frames(), 2);
                bool refused = decision.Action == PsciAction.Answer && decision.Answer == PsciPolicy.NotSupported;
                bool listed = PsciPolicy.IsAllowed(owner | number);
                allowed += listed ? 1 : 0;
                if (!listed)
                {
                    Assert.True(refused, $"{owner | number:x}");
                }
            }
        }

        Assert.Equal(12, allowed);
    }

    [Theory]
    [InlineData(1ul, Virt.RamBase + 0x4000, PsciAction.CpuOn, 0ul)]
    [InlineData(1ul, Virt.RamBase + 0x1000, PsciAction.Answer, PsciPolicy.InvalidAddress)]
    [InlineData(1ul, Virt.RamBase + 0x4002, PsciAction.Answer, PsciPolicy.InvalidAddress)]
    [InlineData(1ul, 0x0900_0000ul, PsciAction.Answer, PsciPolicy.InvalidAddress)]
    [InlineData(1ul, 0ul, PsciAction.Answer, PsciPolicy.InvalidAddress)]
    [InlineData(1ul, 0xFFFF_FFFF_0000_4000ul, PsciAction.Answer, PsciPolicy.InvalidAddress)]
    [InlineData(2ul, Virt.RamBase + 0x4000, PsciAction.Answer, PsciPolicy.InvalidParameters)]
    [InlineData(0x1_0000_0001ul, Virt.RamBase + 0x4000, PsciAction.Answer, PsciPolicy.InvalidParameters)]
    public void CpuOnChecksTargetAndEntry(ulong target, ulong entry, PsciAction action, ulong answer)
    {
        PsciDecision decision = PsciPolicy.Decide(PsciPolicy.CpuOn64, target, entry, Frames(), 2);
        Assert.Equal(action, decision.Action);
        Assert.Equal(answer, decision.Answer);
    }

    [Theory]
    [InlineData(0ul, PsciAction.Standby, 0ul)]
    [InlineData(0xFFFFul, PsciAction.Standby, 0ul)]
    [InlineData(0x1_0000ul, PsciAction.Answer, PsciPolicy.InvalidParameters)]
    [InlineData(0x100_0000ul, PsciAction.Answer, PsciPolicy.InvalidParameters)]
    [InlineData(0x1_0000_0000ul, PsciAction.Answer, PsciPolicy.InvalidParameters)]
    public void ACpuMayStandByButNotPowerDownWithAnEntryOfItsOwn(ulong state, PsciAction action, ulong answer)
    {
        PsciDecision decision = PsciPolicy.Decide(PsciPolicy.CpuSuspend64, state, Virt.RamBase + 0x4000, Frames(), 2);
        Assert.Equal((action, answer), (decision.Action, decision.Answer));
    }

    [Fact]
    public void A32BitCallCarries32BitArguments() =>
        Assert.Equal(PsciAction.CpuOn, PsciPolicy.Decide(PsciPolicy.CpuOn32, 0xFFFF_FFFF_0000_0001, 0xFFFF_FFFF_4000_4000, Frames(), 2).Action);

    [Fact]
    public void TheLpiRegistersDoNotExist()
    {
        for (uint offset = 0x40; offset < 0xC0; offset += 4)
        {
            Assert.Equal(0ul, RedistributorPolicy.ReadMask(offset, 4));
            Assert.Equal(0u, RedistributorPolicy.WriteMask(offset));
        }

        Assert.Equal(0u, RedistributorPolicy.WriteMask(0) & 1);
        Assert.Equal(0ul, RedistributorPolicy.ReadMask(8, 8) & 0xF);
        Assert.Equal(0ul, RedistributorPolicy.ReadMask(8, 4) & 0xF);
    }

    [Fact]
    public void WritesReachOnlyTheListedRegisters()
    {
        for (uint offset = 0; offset < 0x1_0000; offset++)
        {
            Assert.Equal(offset is 0 or 0x10 or 0x14, RedistributorPolicy.WriteMask(offset) != 0);
        }
    }

    [Theory]
    [InlineData(0u, 4, true)]
    [InlineData(0u, 8, false)]
    [InlineData(8u, 8, true)]
    [InlineData(2u, 4, false)]
    [InlineData(0x70u, 8, false)]
    [InlineData(0u, 1, false)]
    public void OddAccessesAreNotWellFormed(uint offset, int bytes, bool sound) => Assert.Equal(sound, RedistributorPolicy.IsWellFormed(offset, bytes));

    [Fact]
    public void RedistributorFramesAreFoundAndSgiFramesAreNot()
    {
        Assert.True(DeviceMap.IsRedistributorFrame(0x080A_0070, 1, out uint offset));
        Assert.Equal(0x70u, offset);
        Assert.True(DeviceMap.IsRedistributorFrame(0x080C_0000, 2, out _));
        Assert.False(DeviceMap.IsRedistributorFrame(0x080C_0000, 1, out _));
        Assert.False(DeviceMap.IsRedistributorFrame(0x080B_0000, 2, out _));
        Assert.False(DeviceMap.IsRedistributorFrame(0x0809_FFFF, 2, out _));
        Assert.False(DeviceMap.IsRedistributorFrame(0, 2, out _));
    }

    [Fact]
    public void NothingThatWritesMemoryIsMappedForLinux()
    {
        // fw_cfg, the four pages of virtio-mmio, the ITS, the SMMU, redistributor RD frames, flash.
        foreach (ulong address in new ulong[] { 0x0902_0000, 0x0A00_0000, 0x0A00_3000, 0x0808_0000, 0x0809_0000, 0x0905_0000, 0x080A_0000, 0x0000_0000, 0x0400_0000 })
        {
            for (int i = 0; i < DeviceMap.Linux.Length; i += 2)
            {
                Assert.False(address - DeviceMap.Linux[i] < DeviceMap.Linux[i + 1], $"{address:x}");
            }
        }
    }
}
