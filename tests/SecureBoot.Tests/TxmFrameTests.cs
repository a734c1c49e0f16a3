using System;
using Exclaves.Abi;
using Exclaves.Sptm;
using Xunit;

namespace Exclaves.SecureBoot.Tests;

/// <summary>What TXM may touch, over every frame type that there is or could be (I2, I3).</summary>
public class TxmFrameTests
{
    [Fact]
    public void TxmReachesItsOwnFramesAndNoOthers()
    {
        for (int raw = 0; raw < 256; raw++)
        {
            FrameType type = (FrameType)raw;
            FrameAccess expected = type switch
            {
                FrameType.TxmCode => FrameAccess.Read | FrameAccess.Execute,
                FrameType.TxmRo => FrameAccess.Read,
                FrameType.TxmDefault => FrameAccess.ReadWrite,
                _ => FrameAccess.None,
            };
            Assert.Equal(expected, FrameRules.TxmAccess(type));
        }
    }

    [Theory]
    [InlineData(FrameType.TxmCode)]
    [InlineData(FrameType.TxmRo)]
    [InlineData(FrameType.TxmDefault)]
    public void NobodyElseReachesTxm(FrameType type)
    {
        Assert.Equal(FrameAccess.None, FrameRules.LinuxAccess(type));
        Assert.Equal(FrameAccess.None, FrameRules.SkAccess(type));
    }

    [Fact]
    public void TheLogIsReadAndNothingMore()
    {
        Assert.Equal(FrameAccess.None, FrameRules.LinuxAccess(FrameType.SptmRo));
        Assert.Equal(FrameAccess.Read, FrameRules.SkAccess(FrameType.SptmRo));
    }
}
