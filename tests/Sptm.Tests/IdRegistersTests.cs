using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>What a world may know of its CPU: nothing whose registers the switch leaves out (I5).</summary>
public class IdRegistersTests
{
    /// <summary>QEMU's neoverse-n1 without counters: profiling and LORegions are announced.</summary>
    private struct Neoverse : IIdReader
    {
        public static ulong Read(uint crm, uint op2) => (crm, op2) switch
        {
            (4, 0) => 0x1100_0000_1111_1112,
            (4, 1) => 0x20,
            (5, 0) => 0x1_1030_5008,
            (6, 0) => 0x0000_1000_1021_1120,
            (6, 1) => 0x0010_0001,
            (7, 0) => 0x0000_0000_0010_1125,
            (7, 1) => 0x0000_0000_1021_2122,
            (7, 2) => 0x0000_0000_0000_1011,
            _ => 0,
        };
    }

    /// <summary>Everything at once.</summary>
    private struct All : IIdReader
    {
        public static ulong Read(uint crm, uint op2) => 0x2222_2222_2222_2222;
    }

    private struct Nothing : IIdReader
    {
        public static ulong Read(uint crm, uint op2) => crm == 5 && op2 == 0 ? 0xF00ul : 0ul;
    }

    [Fact]
    public void TheUsualCpuHasNothingToHide() => Assert.Equal(CpuFeature.ErrorRecords, CpuFeatures.Detect<Neoverse>());

    [Fact]
    public void ACpuWithEverythingShowsEveryBit()
    {
        CpuFeature all = CpuFeatures.Detect<All>();
        Assert.Equal((CpuFeature)0xFFF, all);
        Assert.Equal((3ul << 40) | (1ul << 18) | (1ul << 58), CpuFeatures.Hcr(all));
        Assert.Equal(6ul | (1ul << 17) | (1ul << 23), CpuFeatures.Mdcr(all, 6));
        Assert.Equal(1ul << 13, CpuFeatures.CnthctlSecure(all));
    }

    [Fact]
    public void ImplementationDefinedCountersAreNoCounters()
    {
        Assert.Equal(CpuFeature.None, CpuFeatures.Detect<Nothing>());
        Assert.Equal(0ul, CpuFeatures.Mdcr(CpuFeature.None, 31));
    }

    /// <summary>Register and field of each feature that is hidden: SVE, MPAM, AMU; MTE, SME; trace, SPE, TRBE, BRBE; TME; LS64; LO.</summary>
    [Theory]
    [InlineData(4, 0, 32), InlineData(4, 0, 40), InlineData(4, 0, 44), InlineData(4, 0, 52)]
    [InlineData(4, 1, 8), InlineData(4, 1, 16), InlineData(4, 1, 24), InlineData(4, 1, 32), InlineData(4, 1, 36), InlineData(4, 1, 44), InlineData(4, 1, 48)]
    [InlineData(4, 2, 0), InlineData(4, 4, 0), InlineData(4, 5, 32), InlineData(4, 7, 0)]
    [InlineData(5, 0, 4), InlineData(5, 0, 32), InlineData(5, 0, 40), InlineData(5, 0, 44), InlineData(5, 0, 52), InlineData(5, 1, 0)]
    [InlineData(6, 0, 24), InlineData(6, 1, 60), InlineData(6, 2, 16), InlineData(6, 3, 0)]
    [InlineData(7, 1, 16), InlineData(7, 3, 0), InlineData(7, 3, 8), InlineData(7, 4, 0)]
    [InlineData(1, 0, 20), InlineData(1, 2, 12), InlineData(1, 2, 28)]
    public void HiddenFieldsReadAsZero(uint crm, uint op2, int shift)
    {
        Assert.Equal(0ul, IdRegisters.Visible(crm, op2, ulong.MaxValue) >> shift & 0xF);
        bool tolerated = (crm, op2, shift) is (7, 1, 16) or (5, 0, 4 or 32 or 40 or 44);
        Assert.Equal(!tolerated, IdRegisters.MustHide(crm, op2, 1ul << shift));
    }

    /// <summary>Counters, breakpoints, pointer authentication, hardware access flag, BTI, SSBS: switched, harmless or needed.</summary>
    [Theory]
    [InlineData(4, 0, 16), InlineData(4, 1, 0), InlineData(4, 1, 4), InlineData(5, 0, 8), InlineData(5, 0, 12), InlineData(6, 1, 4), InlineData(6, 1, 8)]
    [InlineData(6, 2, 12), InlineData(7, 1, 0), InlineData(7, 2, 0)]
    public void VisibleFieldsStay(uint crm, uint op2, int shift) => Assert.False(IdRegisters.MustHide(crm, op2, 0xFul << shift));

    [Theory]
    [InlineData(0, 0), InlineData(1, 1), InlineData(2, 1), InlineData(3, 1)]
    public void ContextNumbersAreNotAnnounced(ulong raw, ulong shown) => Assert.Equal(shown << 56, IdRegisters.Visible(4, 0, raw << 56));

    [Theory]
    [InlineData(3, 0, 0, 4, 0, true, true)]
    [InlineData(3, 0, 0, 7, 7, true, true)]
    [InlineData(3, 0, 0, 4, 0, false, false)]
    [InlineData(3, 0, 0, 0, 0, true, false)]
    [InlineData(3, 0, 0, 8, 0, true, false)]
    [InlineData(3, 1, 0, 4, 0, true, false)]
    [InlineData(2, 0, 0, 4, 0, true, false)]
    [InlineData(3, 0, 1, 4, 0, true, false)]
    public void OnlyReadsOfTheGroupAreAnswered(ulong op0, ulong op1, ulong crn, ulong crm, ulong op2, bool read, bool named)
    {
        ulong iss = (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (5ul << 5) | (crm << 1) | (read ? 1u : 0u);
        Assert.Equal(named, IdRegisters.TryName(new Syndrome((0x18ul << 26) | (1ul << 25) | iss), out uint foundCrm, out uint foundOp2));
        Assert.Equal((crm, op2), (foundCrm, foundOp2));
    }
}
