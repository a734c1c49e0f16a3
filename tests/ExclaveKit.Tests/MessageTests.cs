using System;
using System.Linq;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>Receiving and answering while other threads have work.</summary>
public class MessageTests
{
    private const ulong Word = TestKit.Data + 0x100;

    private static byte[] Message(uint label, params byte[] body)
    {
        byte[] bytes = new byte[MessageHeader.Bytes + body.Length];
        MessageHeader header = new() { Label = (MessageLabel)label, Length = (uint)body.Length, Badge = 9 };
        MemoryMarshal.Write(bytes, in header);
        body.CopyTo(bytes, MessageHeader.Bytes);
        return bytes;
    }

    [Fact]
    public void NullCallsCostOneCallOfTheKernel()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.World.Incoming.Enqueue(Message(17, 1, 2, 3));
        kit.World.Incoming.Enqueue(Message(18));
        Assert.Equal(67UL, kit.Call(PersonalityCall.Receive, buffer, 4096));
        Assert.Equal([1, 2, 3], kit.Get(buffer + 64, 3));
        kit.Put(buffer + 4, 2u);
        kit.Put<byte>(buffer + 64, 7);
        Assert.Equal(64UL, kit.Call(PersonalityCall.ReplyReceive, buffer, 4096));
        Assert.Equal(["receive", "reply+receive"], kit.World.Calls);
        Assert.Equal([7, 2], kit.World.Answers[0][64..66]);
    }

    [Fact]
    public void ThreadsServeAtOnceEachItsOwn()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        ulong other = kit.Map(4096);
        kit.World.Incoming.Enqueue(Message(17, 1));
        kit.Call(PersonalityCall.Receive, buffer, 4096);
        uint tid = kit.Clone();
        kit.RunUntil(tid);
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.ReplyReceive, other, 4096));
        kit.World.Incoming.Enqueue(Message(18, 2));
        kit.Call(PersonalityCall.Receive, other, 4096);
        kit.RunUntil(tid);
        Assert.Equal((17u, 18u), (kit.Get<uint>(buffer), kit.Get<uint>(other)));
        kit.Put<byte>(other + 64, 22);
        kit.World.Incoming.Enqueue(Message(19));
        kit.Call(PersonalityCall.ReplyReceive, other, 4096);
        kit.RunUntil(1);

        // Who owes an answer cannot ask for more.
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.Receive, buffer, 4096));
        kit.Put<byte>(buffer + 64, 11);
        kit.World.Incoming.Enqueue(Message(20));
        kit.RunUntil(tid);
        kit.RunUntil(1);
        kit.World.Incoming.Enqueue(Message(21));
        kit.Call(PersonalityCall.ReplyReceive, buffer, 4096);
        kit.RunUntil(1);
        Assert.Equal([22, 11], kit.World.Answers.Select(answer => answer[64]));
    }

    [Fact]
    public void ASignalDuringTheWaitDoesNotAnswerTwice()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.State.Actions[33].Handler = 0x5555;
        kit.World.Incoming.Enqueue(Message(17));
        kit.World.Incoming.Enqueue(Message(18));
        kit.Call(PersonalityCall.Receive, buffer, 4096);
        kit.Clone();
        kit.Put(buffer + 4, 0u);
        kit.Live.ProgramCounter = TestKit.ProgramEntry;
        kit.Call(PersonalityCall.ReplyReceive, buffer, 4096);
        kit.Call(LinuxCall.Tgkill, 1, 1, 34);
        Assert.Contains(0, kit.World.Kicked);
        kit.RunUntil(1);
        Assert.Equal(0x5555UL, kit.Live.ProgramCounter);
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal(TestKit.ProgramEntry, kit.Live.ProgramCounter);
        Assert.Equal(PersonalityCall.Receive, kit.Live.X[8]);
        Assert.Equal(buffer, kit.Live.X[0]);
        Assert.Equal(4096UL, kit.Live.X[1]);
        Assert.Single(kit.World.Answers);
    }

    /// <summary>The kick ended as the handler was entered: the answer goes, then the signal is handled, then the wait begins.</summary>
    [Fact]
    public void ASignalBeforeTheWaitDoesNotKeepTheAnswer()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.State.Actions[33].Handler = 0x5555;
        kit.World.Incoming.Enqueue(Message(17));
        kit.Call(PersonalityCall.Receive, buffer, 4096);
        uint tid = kit.Clone();
        kit.Put(buffer + 4, 0u);
        kit.RunUntil(tid);
        kit.Call(LinuxCall.Tgkill, 1, 1, 34);
        kit.World.Running = 0;
        kit.World.Kicked.Clear();
        kit.Call(PersonalityCall.ReplyReceive, buffer, 4096);
        Assert.Equal((0, 0x5555UL, 1), (kit.World.Running, kit.Live.ProgramCounter, kit.World.Answers.Count));
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal((PersonalityCall.Receive, buffer), (kit.Live.X[8], kit.Live.X[0]));
    }

    [Fact]
    public void AnAnswerNeedsAMessage()
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.ReplyReceive, kit.Map(4096), 4096));
    }

    [Fact]
    public void AMessageThatDoesNotFitIsAnsweredNotLost()
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.World.Incoming.Enqueue(Message(17, new byte[100]));
        Assert.Equal(TestKit.Error(Errno.MessageSize), kit.Call(PersonalityCall.Receive, buffer, 128));
        Assert.Equal(Status.TooBig, MemoryMarshal.Read<MessageHeader>(Assert.Single(kit.World.Answers)).Status);

        kit.World.Incoming.Enqueue(Message(17));
        Assert.Equal(TestKit.Error(Errno.MessageSize), kit.Call(PersonalityCall.Receive, 0x1000, 4096));
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(PersonalityCall.Receive, buffer, 32));
    }

    [Theory]
    [InlineData(4033u, 4096UL, Errno.MessageSize)]
    [InlineData(100u, 128UL, Errno.MessageSize)]
    [InlineData(0u, 32UL, Errno.BadAddress)]
    public void BadAnswersAreRefusedAndMayBeCorrected(uint length, ulong capacity, Errno expected)
    {
        TestKit kit = new();
        ulong buffer = kit.Map(4096);
        kit.World.Incoming.Enqueue(Message(17));
        kit.World.Incoming.Enqueue(Message(18));
        kit.Call(PersonalityCall.Receive, buffer, 4096);
        kit.Put(buffer + 4, length);
        Assert.Equal(TestKit.Error(expected), kit.Call(PersonalityCall.ReplyReceive, buffer, capacity));
        kit.Put(buffer + 4, 0u);
        Assert.Equal(64UL, kit.Call(PersonalityCall.ReplyReceive, buffer, 4096));
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
