using System.Linq;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>Registered buffers that go along in place: which pages, with which rights, and what comes back.</summary>
public class LentBufferTests
{
    private const ulong BigCookie = 0xFFFF_0000_9999_0000;
    private const int BigPages = 300;

    /// <summary>Hello takes lent buffers; Linux has one of 300 pages besides its usual one of two pages, which begins at 0x100.</summary>
    private static World Lending()
    {
        World world = World.Ready();
        world.Services[0].LentBuffers = 1;
        ulong[] pages = [.. Enumerable.Range(0, BigPages).Select(page => World.Ram + 0x100_0000 + ((ulong)page * 0x1000))];
        Assert.Equal(Tee.Success, world.Register(BigCookie, pages, 0, BigPages * 4096));
        world.Written.Clear();
        return world;
    }

    private static MessageParameter Buffer(uint type, ulong offset, ulong bytes, ulong cookie = World.BufferCookie) =>
        new() { Attribute = type, A = offset, B = bytes, C = cookie };

    private static ulong WindowOf(World world, ulong cookie) => RegistrationTable.WindowOf(world.State.Registrations.Find(cookie));

    private static Decision Invoke(World world, uint session, params MessageParameter[] parameters)
    {
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 9, session, parameters);
        return world.CallRegistered();
    }

    private static LentRange Word(World world, int index) => new(new[] { world.Message.Word0, world.Message.Word1, world.Message.Word2, world.Message.Word3 }[index]);

    [Theory]
    //          type  offset  bytes  in page  pages  writable
    [InlineData(5u, 0ul, 6000ul, 0x100u, 2u, false)]
    [InlineData(5u, 0ul, 1ul, 0x100u, 1u, false)]
    [InlineData(6u, 0xF00ul, 1ul, 0u, 1u, true)]
    [InlineData(7u, 0xEFFul, 2ul, 0xFFFu, 2u, true)]
    [InlineData(7u, 0x1000ul, 0x770ul, 0x100u, 1u, true)]
    public void ThePagesThatHoldItGoAlong(uint type, ulong offset, ulong bytes, uint inPage, uint pages, bool writable)
    {
        World world = Lending();
        uint session = world.Open();
        Decision decision = Invoke(world, session, new MessageParameter { Attribute = 1, A = 4 }, Buffer(type, offset, bytes));
        Assert.Equal((Ending.Forward, true), (decision.Ending, decision.Lends));
        Assert.Equal((0ul, 0ul, 0ul), (world.Message.Word0, world.Message.Word2, world.Message.Word3));
        LentRange range = Word(world, 1);
        Assert.Equal((WindowOf(world, World.BufferCookie) + ((0x100 + offset) & ~0xFFFul), pages, writable), (range.Address, range.Pages, range.IsWritable));
        ServiceParameter parameter = world.ServiceBody.P1;
        Assert.Equal(((ParameterKind)(type + 4), inPage, bytes, bytes), (parameter.Kind, parameter.Offset, parameter.A, parameter.B));

        // Nothing is copied, in or out, but the size that the service states.
        world.ServiceBody.P1.A = bytes - 1;
        world.Complete(decision.Downcall, Tee.Success);
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal(type == 5 ? bytes : bytes - 1, world.ParameterAt(World.CallPage, 1).B);
        Assert.DoesNotContain(world.Written, at => at >= World.BufferPage && at < World.BufferPage + 0x2_0000);
    }

    [Theory]
    [InlineData(256ul * 4096, 0ul, true)]
    [InlineData(256ul * 4096, 1ul, true)]
    [InlineData(264ul * 4096, 0ul, true)]
    [InlineData(264ul * 4096, 1ul, false)]
    [InlineData(300ul * 4096, 0ul, false)]
    public void ACallTakesSoManyPages(ulong bytes, ulong offset, bool goes)
    {
        World world = Lending();
        uint session = world.Open();
        Decision decision = Invoke(world, session, Buffer(5, offset, bytes, BigCookie));
        Assert.Equal(goes ? Ending.Forward : Ending.Finish, decision.Ending);
        if (!goes)
        {
            Assert.Equal(Tee.ErrorOutOfMemory, world.Get<MessageArgument>(World.CallPage).Result);
            Assert.Equal(0, world.State.RequestCount);
        }
    }

    [Fact]
    public void AnAnswerLargerThanTheBufferSaysHowMuchIsNeeded()
    {
        World world = Lending();
        uint session = world.Open();
        Decision decision = Invoke(world, session, Buffer(6, 0, 16));
        world.ServiceBody.P0.A = 17;
        world.Complete(decision.Downcall, Tee.Success);
        Assert.Equal((Tee.ErrorShortBuffer, 17ul), (world.Get<MessageArgument>(World.CallPage).Result, world.ParameterAt(World.CallPage, 0).B));
    }

    [Theory]
    [InlineData(World.BufferCookie, 5999ul, 2ul)]
    [InlineData(World.BufferCookie, ulong.MaxValue, 2ul)]
    [InlineData(World.BufferCookie, 0ul, ulong.MaxValue)]
    [InlineData(0x4444ul, 0ul, 16ul)]
    public void WhatLiesOutsideOfTheBufferDoesNotGoAlong(ulong cookie, ulong offset, ulong bytes)
    {
        World world = Lending();
        uint session = world.Open();
        Decision decision = Invoke(world, session, Buffer(5, offset, bytes, cookie));
        Assert.Equal((Ending.Finish, Tee.ErrorBadParameters), (decision.Ending, world.Get<MessageArgument>(World.CallPage).Result));
    }

    [Fact]
    public void WhoDoesNotTakeThemGetsCopies()
    {
        World world = Lending();
        uint session = world.Open(Services.SignerLow, Services.SignerHigh);
        Decision decision = Invoke(world, session, Buffer(5, 0, 16));
        Assert.Equal((Ending.Forward, false, ParameterKind.BufferIn), (decision.Ending, decision.Lends, world.ServiceBody.P0.Kind));
        Assert.Equal(0ul, world.Message.Word0 | world.Message.Word1 | world.Message.Word2 | world.Message.Word3);
    }

    [Fact]
    public void ABufferOfNoBytesAndANullReferenceLendNothing()
    {
        World world = Lending();
        uint session = world.Open();
        Decision decision = Invoke(world, session, Buffer(5, 0, 0), new MessageParameter { Attribute = 9 });
        Assert.Equal((Ending.Forward, false), (decision.Ending, decision.Lends));
        Assert.Equal((ParameterKind.LentIn, 0ul), (world.ServiceBody.P0.Kind, world.ServiceBody.P0.A));
    }

    /// <summary>SK knows that a call has the pages with it; no sound driver takes them back then, and one that does keeps its registration.</summary>
    [Fact]
    public void WhatIsLentIsNotUnregistered()
    {
        World world = Lending();
        world.UnmapAnswer = Status.Busy;
        (int, int, int, int) before = world.Counts;
        Assert.Equal(Tee.ErrorBusy, world.Unregister(World.BufferCookie));
        Assert.Equal(Tee.ErrorBusy, world.Register(World.BufferCookie, [World.BufferPage + 0x5000], 0, 4096));
        Assert.Equal(before, world.Counts);
        world.UnmapAnswer = Status.Ok;
        Assert.Equal(Tee.Success, world.Unregister(World.BufferCookie));
    }
}
