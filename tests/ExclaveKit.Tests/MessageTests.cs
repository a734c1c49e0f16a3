using System;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>What goes through the message page.</summary>
public class MessageTests
{
    [Fact]
    public void AThreadLearnsWhereItsMessagesAre()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        Assert.Equal(0UL, kit.Call(PersonalityCall.Messages, buffer));
        Assert.Equal((FakeWorld.CallEntry, UserLayout.IpcPage), (kit.Get<ulong>(buffer), kit.Get<ulong>(buffer + 8)));
        kit.RunUntil(kit.Clone());
        Assert.Equal(0UL, kit.Call(PersonalityCall.Messages, buffer));
        Assert.Equal(UserLayout.IpcPageOf(1), kit.Get<ulong>(buffer + 8));
        Assert.Equal(TestKit.Error(Errno.BadAddress), kit.Call(PersonalityCall.Messages, 0x1000));
    }

    /// <summary>A client's message lies there when the program asks for randomness.</summary>
    [Fact]
    public void OurOwnCallsLeaveTheMessageAlone()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        byte[] page = kit.World.MessagePages[0];
        new Random(1).NextBytes(page);
        byte[] before = [.. page];
        Assert.Equal(2000UL, kit.Call(LinuxCall.GetRandom, buffer, 2000));
        Assert.Equal(before, page);
    }

    [Fact]
    public void CallsGoToEndpointsAndComeBack()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.Put(buffer, (uint)MessageLabel.Random);
        kit.Put(buffer + 32, 40UL);
        Assert.Equal(104UL, kit.Call(PersonalityCall.Call, 2, buffer, 4096));
        Assert.Equal(40, kit.Get<byte>(buffer + 64 + 39));
        Assert.Equal(TestKit.Error(Errno.NotPermitted), kit.Call(PersonalityCall.Call, 3, buffer, 4096));
    }

    [Fact]
    public void StatisticsCountWhatHappens()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        Assert.Equal((ulong)KitStatistic.Count * 8, kit.Call(PersonalityCall.Statistics, buffer, 4096));
        Assert.Equal(kit.State.CommitLimit, kit.Get<ulong>(buffer + ((ulong)KitStatistic.CommitLimit * 8)));
        Assert.Equal(2UL, kit.Get<ulong>(buffer + ((ulong)KitStatistic.SystemCalls * 8)));
        Assert.Equal(8UL, kit.Call(PersonalityCall.Statistics, buffer, 15));
    }
}
