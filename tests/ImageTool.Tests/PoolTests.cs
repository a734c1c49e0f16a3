using Exclaves.ImageTool.Description;
using Exclaves.Sptm;
using Xunit;

namespace Exclaves.ImageTool.Tests;

/// <summary>What the image tool sets aside for the monitor is what the monitor takes.</summary>
public class PoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(64)]
    public void TheMonitorsTablesFit(uint gibibytes)
    {
        ulong ram = (ulong)gibibytes << 30;
        ulong frames = ram / FrameTable.PageBytes * sizeof(uint);
        ulong tables = TablePool.BytesFor(ram) + SmmuTables.Bytes + (3 * 2 * FrameTable.PageBytes);
        ulong handed = FrameTable.PageBytes + Abi.MeasurementLog.Bytes;
        ulong reserve = PoolPlan.MonitorBytes(ram);
        Assert.Equal(0ul, reserve % PoolPlan.Block);
        Assert.InRange(reserve, frames + tables + handed, frames + tables + handed + SmmuTables.Alignment + PoolPlan.Block);
    }
}
