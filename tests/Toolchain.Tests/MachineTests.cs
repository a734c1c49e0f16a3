using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Machine;
using Xunit;

namespace Exclaves.Toolchain.Tests;

/// <summary>The portable machine layer under .NET.</summary>
public class MachineTests
{
    [Theory]
    [InlineData(0ul, Status.Ok)]
    [InlineData((1ul << 40) - 1, Status.Ok)]
    [InlineData(1ul << 40, Status.BadAddress)]
    [InlineData(ulong.MaxValue, Status.BadAddress)]
    public void PhysicalAndIntermediateAddressesFitTheMachine(ulong raw, Status expected)
    {
        Assert.Equal(expected, PhysAddr.TryFrom(raw, out PhysAddr physical));
        Assert.Equal(expected, Ipa.TryFrom(raw, out Ipa ipa));
        Assert.Equal(expected == Status.Ok ? raw : 0, physical.Value);
        Assert.Equal(physical, ipa.ToPhysicalIdentity());
    }

    [Theory]
    [InlineData(0x0000_FFFF_FFFF_FFFFul, Status.Ok)]
    [InlineData(0x0001_0000_0000_0000ul, Status.BadAddress)]
    [InlineData(0xFFFE_FFFF_FFFF_FFFFul, Status.BadAddress)]
    [InlineData(0xFFFF_0000_0000_0000ul, Status.Ok)]
    public void VirtualAddressesAreCanonical(ulong raw, Status expected) =>
        Assert.Equal(expected, VirtAddr.TryFrom(raw, out _));

    [Fact]
    public void AFrameIsItsAddressWithoutTheOffset()
    {
        Assert.Equal(Status.Ok, PhysAddr.TryFrom(0x4020_1FFF, out PhysAddr address));
        Assert.Equal(0x4_0201u, address.Frame.Value);
        Assert.Equal(0x4020_1000ul, address.Frame.Base.Value);
        Assert.Equal(0xFFFul, address.PageOffset);
        Assert.False(address.IsPageAligned);
    }

    [Theory]
    [InlineData(0ul, 0ul)]
    [InlineData(1ul, 1ul)]
    [InlineData(4096ul, 1ul)]
    [InlineData(4097ul, 2ul)]
    [InlineData(ulong.MaxValue, 1ul << 52)]
    public void PagesRoundUpWithoutWrapping(ulong bytes, ulong pages) => Assert.Equal(pages, Align.Pages(bytes));

    [Fact]
    public async Task TheLockExcludes()
    {
        Counter counter = new();
        await Task.WhenAll(Task.Run(counter.Work), Task.Run(counter.Work));
        Assert.Equal(2 * Counter.Rounds, counter.Value);
    }

    private sealed class Counter
    {
        public const int Rounds = 20_000;

        private Spinlock _lock;

        public int Value { get; private set; }

        public void Work()
        {
            for (int i = 0; i < Rounds; i++)
            {
                using Spinlock.Held held = _lock.Acquire();
                Value++;
            }
        }
    }
}
