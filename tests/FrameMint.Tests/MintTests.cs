using System.Linq;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.FrameMint.Tests;

public class MintTests
{
    [Fact]
    public void PoolsComeOfAllThatIsLeftAndTheTextComesLast()
    {
        FakeSystem.Reset(0, 1, 0, 2);
        MintState state = default;
        Assert.Equal(Status.Ok, Mint<FakeSystem>.Populate(ref state));
        Assert.Equal(["pool 34 of 65", "pool 35 of 67", "pool 36 of 67", "kit 2"], FakeSystem.Asked);
        Assert.Equal((ExclavesStatus.ExclaveKit, 3u), (state.Stage, state.Pools));
    }

    [Fact]
    public void AgainIsSuccessAndDoesNothing()
    {
        FakeSystem.Reset(1);
        MintState state = default;
        Assert.Equal(Status.Ok, Mint<FakeSystem>.Populate(ref state));
        FakeSystem.Asked.Clear();
        FakeSystem.Kit = Status.Denied;
        Assert.Equal(Status.Ok, Mint<FakeSystem>.Populate(ref state));
        Assert.Empty(FakeSystem.Asked);
    }

    [Fact]
    public void NothingLeftIsNoFailure()
    {
        FakeSystem.Reset();
        MintState state = default;
        Assert.Equal(Status.Ok, Mint<FakeSystem>.Populate(ref state));
        Assert.Equal(["kit 2"], FakeSystem.Asked);
    }

    /// <summary>Also when what failed would go well now.</summary>
    [Theory]
    [InlineData(Status.Revoked, Status.Ok)]
    [InlineData(Status.Ok, Status.BadCapability)]
    [InlineData(Status.Ok, Status.BadState)]
    public void AFailureStays(Status pool, Status kit)
    {
        FakeSystem.Reset(5);
        FakeSystem.ThirdPool = pool;
        FakeSystem.Kit = kit;
        MintState state = default;
        Assert.Equal(Status.Failed, Mint<FakeSystem>.Populate(ref state));
        Assert.Equal(ExclavesStatus.Failure, state.Stage);
        Assert.Equal(pool == Status.Ok, FakeSystem.Asked.Contains("kit 2"));

        FakeSystem.Reset(5);
        Assert.Equal(Status.Failed, Mint<FakeSystem>.Populate(ref state));
        Assert.Empty(FakeSystem.Asked);
    }

    /// <summary>The slots end where those of the memory begin, however much there is.</summary>
    [Fact]
    public void ThereAreAsManyPoolsAsSlots()
    {
        FakeSystem.Reset(20, 20);
        MintState state = default;
        Assert.Equal(Status.Ok, Mint<FakeSystem>.Populate(ref state));
        Assert.Equal(MintSlots.MaxPools, state.Pools);
        Assert.Equal("pool 63 of 65", FakeSystem.Asked.Last(asked => asked.StartsWith("pool", System.StringComparison.Ordinal)));
    }
}
