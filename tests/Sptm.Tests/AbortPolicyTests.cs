using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>What Linux is told, for every kind of access (design review 2).</summary>
public class AbortPolicyTests
{
    private const ulong Vectors = 0xFFFF_8000_0801_0800;
    private const ulong KernelAddress = 0xFFFF_0000_0020_0000;
    private const ulong UserAddress = 0x0000_AAAA_0000_1000;
    private const ulong El1h = 0b00101;
    private const ulong El0 = 0;
    private const ulong Span = 1ul << 23;

    private static Syndrome Data(bool write = false, bool walk = false, uint status = 0x07) =>
        new((0x24ul << 26) | (1ul << 25) | (write ? 1ul << 6 : 0) | (walk ? 1ul << 7 : 0) | status);

    private static Syndrome Fetch(uint status = 0x07) => new((0x20ul << 26) | (1ul << 25) | status);

    [Theory]
    [InlineData(false, 0x9600_000Ful)]
    [InlineData(true, 0x9600_004Ful)]
    public void KernelDataBecomesAPermissionFault(bool write, ulong esr)
    {
        El1Exception e = AbortPolicy.Inject(Data(write), KernelAddress, 0x1000, El1h, Vectors, Span);
        Assert.Equal(esr, e.Syndrome);
        Assert.Equal(Vectors + 0x200, e.ProgramCounter);
        Assert.Equal((0x1000ul, El1h, KernelAddress), (e.ReturnAddress, e.SavedState, e.FaultAddress));
    }

    [Fact]
    public void UserDataBecomesAnExternalAbortFromEl0()
    {
        El1Exception e = AbortPolicy.Inject(Data(), UserAddress, 0x1000, El0, Vectors, Span);
        Assert.Equal(0x9200_0010ul, e.Syndrome);
        Assert.Equal(Vectors + 0x400, e.ProgramCounter);
    }

    [Fact]
    public void AnAarch32ProcessUsesItsOwnVector()
    {
        El1Exception e = AbortPolicy.Inject(Data(), 0x1000, 0x1000, 0b10000, Vectors, Span);
        Assert.Equal(Vectors + 0x600, e.ProgramCounter);
        Assert.Equal(0x24ul, e.Syndrome >> 26);
    }

    [Fact]
    public void KernelAccessToUserMemoryBecomesAnExternalAbort() =>
        Assert.Equal(0x9600_0010ul, AbortPolicy.Inject(Data(), UserAddress, 0, El1h, Vectors, Span).Syndrome);

    [Fact]
    public void FetchesAndWalksBecomeExternalAborts()
    {
        Assert.Equal(0x8600_0010ul, AbortPolicy.Inject(Fetch(), KernelAddress, 0, El1h, Vectors, Span).Syndrome);
        Assert.Equal(0x8200_0010ul, AbortPolicy.Inject(Fetch(), UserAddress, 0, El0, Vectors, Span).Syndrome);
        Assert.Equal(0x9600_0017ul, AbortPolicy.Inject(Data(walk: true), KernelAddress, 0, El1h, Vectors, Span).Syndrome);
        Assert.Equal(0x9200_0016ul, AbortPolicy.Inject(Data(walk: true, status: 0x06), UserAddress, 0, El0, Vectors, Span).Syndrome);
    }

    [Fact]
    public void ATranslationFaultIsNeverInjected()
    {
        for (uint status = 0; status < 64; status++)
        {
            foreach (bool walk in new[] { false, true })
            {
                foreach (ulong state in new[] { El0, El1h })
                {
                    foreach (ulong address in new[] { KernelAddress, UserAddress })
                    {
                        ulong esr = AbortPolicy.Inject(Data(walk: walk, status: status), address, 0, state, Vectors, Span).Syndrome;
                        Assert.False((esr & 0x3C) == 0x04, $"status {status:x} walk {walk} became {esr:x}");
                    }
                }
            }
        }
    }

    [Fact]
    public void TheNewStateIsWhatHardwareWouldSet()
    {
        const ulong Flags = 0xF000_0000;
        const ulong Pan = 1ul << 22;
        const ulong SingleStep = 1ul << 21;
        const ulong Illegal = 1ul << 20;
        El1Exception e = AbortPolicy.Inject(Data(), KernelAddress, 0, Flags | SingleStep | Illegal | El1h, Vectors, Span);
        Assert.Equal(Flags | 0x3C5, e.ProcessorState);
        Assert.Equal(Pan, AbortPolicy.Inject(Data(), KernelAddress, 0, El1h, Vectors, 0).ProcessorState & Pan);
        Assert.Equal(Pan, AbortPolicy.Inject(Data(), KernelAddress, 0, Pan | El1h, Vectors, Span).ProcessorState & Pan);
        Assert.Equal(1ul << 12, AbortPolicy.Inject(Data(), KernelAddress, 0, El1h, Vectors, Span | (1ul << 44)).ProcessorState & (1ul << 12));
    }

    [Fact]
    public void AnUndefinedInstructionIsReportedAsSuch()
    {
        El1Exception e = AbortPolicy.InjectUndefined(0x2000, El1h, Vectors, Span);
        Assert.Equal((1ul << 25, 0x2000ul, Vectors + 0x200), (e.Syndrome, e.ReturnAddress, e.ProgramCounter));
    }

    [Theory]
    [InlineData(true, false, SptmCounter.RefusedKernelData)]
    [InlineData(true, true, SptmCounter.RefusedWalk)]
    [InlineData(false, false, SptmCounter.RefusedDevice)]
    public void RefusalsAreCountedByKind(bool ram, bool walk, SptmCounter expected) =>
        Assert.Equal(expected, AbortPolicy.Classify(Data(walk: walk), KernelAddress, El1h, ram));

    [Fact]
    public void UserAccessesAndFetchesHaveTheirOwnCounters()
    {
        Assert.Equal(SptmCounter.RefusedUserData, AbortPolicy.Classify(Data(), UserAddress, El0, isRam: true));
        Assert.Equal(SptmCounter.RefusedFetch, AbortPolicy.Classify(Fetch(), KernelAddress, El1h, isRam: true));
    }
}
