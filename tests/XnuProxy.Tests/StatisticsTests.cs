using System;
using System.Linq;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>What the statistics service says of itself, of what has a name, and of memory.</summary>
public class StatisticsTests
{
    private const ulong ValueIn = 1;
    private const ulong ValueOut = 2;
    private const ulong BufferOut = 6;
    private const ulong Answer = World.BufferPage + 0x100;

    [Theory]
    [InlineData(0ul, false)]
    [InlineData(StatisticsProtocol.Version, true)]
    [InlineData(StatisticsProtocol.Version + 1ul, false)]
    [InlineData(StatisticsProtocol.Version - 1ul, false)]
    [InlineData((1ul << 32) | StatisticsProtocol.Version, false)]
    public void WhoSpeaksAnotherVersionIsToldWhichIsSpoken(ulong spoken, bool isSame)
    {
        World world = World.Ready();
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        Assert.Equal(Tee.Success, Invoke(world, session, StatisticsOperation.Version, [ValueIn, spoken, 0, 0, ValueOut, 0, 0, 0]));
        MessageParameter answer = world.ParameterAt(World.CallPage, 1);
        Assert.Equal((StatisticsProtocol.Version, isSame ? 1ul : 0), (answer.A, answer.B));
    }

    [Fact]
    public void EverythingWithANameIsListed()
    {
        World world = World.Ready();
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        int services = world.Services.Length;
        for (ulong i = 0; i < (ulong)services + 4; i++)
        {
            Assert.Equal(Tee.Success, Invoke(world, session, StatisticsOperation.Resource, [ValueIn, i, 0, 0, BufferOut, 0, 512, World.BufferCookie]));
            ResourceStatus status = world.Get<ResourceStatus>(Answer);
            bool isService = i < (ulong)services;
            uint component = isService ? world.Services[(int)i].Component : (uint)i - (uint)services;
            Assert.Equal(
                (isService ? ResourceKind.Service : ResourceKind.Component, isService ? (uint)i : component, component == 0 ? "org.exclaves.kernel" : "org.exclaves.conclave.Component"),
                (status.Kind, status.Id, Text(status.Domain)));
            Assert.Equal(isService ? Text(world.Services[(int)i].Name) : "Component", Text(status.Name));
            Assert.Equal(isService ? world.Services[(int)i].UuidLow : 0, status.UuidLow);
            Assert.Equal(isService ? 0u : 1u, status.Connected);
        }

        Assert.Equal(Tee.ErrorItemNotFound, Invoke(world, session, StatisticsOperation.Resource, [ValueIn, (ulong)services + 4, 0, 0, BufferOut, 0, 512, World.BufferCookie]));
        Assert.Equal(Tee.ErrorItemNotFound, Invoke(world, session, StatisticsOperation.Resource, [ValueIn, ulong.MaxValue, 0, 0, BufferOut, 0, 512, World.BufferCookie]));
    }

    [Fact]
    public void MemoryIsTheSumOfWhatComponentsHave()
    {
        World world = World.Ready();
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        Assert.Equal(Tee.Success, Invoke(world, session, StatisticsOperation.Memory, [BufferOut, 0, 512, World.BufferCookie]));
        MemoryStatus memory = world.Get<MemoryStatus>(Answer);
        Assert.Equal(
            ((1000ul + (ulong)SkCounter.PoolFrames) * 4096, 0x40_0000ul, 0xA000ul, 0x8000ul, 4u),
            (memory.PoolBytes, memory.QuotaBytes, memory.UsedBytes, memory.DonatedBytes, memory.Components));
    }

    public static TheoryData<StatisticsOperation, ulong[], uint> Malformed => new()
    {
        { StatisticsOperation.Version, [], Tee.ErrorBadParameters },
        { StatisticsOperation.Version, [ValueOut, 0, 0, 0, ValueOut, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Version, [ValueIn, 0, 0, 0, ValueIn, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Resource, [], Tee.ErrorBadParameters },
        { StatisticsOperation.Resource, [ValueIn, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Resource, [ValueIn, 0, 0, 0, ValueOut, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Resource, [BufferOut, 0, 512, World.BufferCookie, ValueIn, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Resource, [ValueIn, 0, 0, 0, BufferOut, 0, 4, World.BufferCookie], Tee.ErrorShortBuffer },
        { StatisticsOperation.Memory, [], Tee.ErrorBadParameters },
        { StatisticsOperation.Memory, [ValueOut, 0, 0, 0], Tee.ErrorBadParameters },
        { StatisticsOperation.Memory, [BufferOut, 0, 39, World.BufferCookie], Tee.ErrorShortBuffer },
        { StatisticsOperation.Status, [], Tee.ErrorBadParameters },
        { StatisticsOperation.Status, [ValueIn, 0, 0, 0], Tee.ErrorBadParameters },
        { (StatisticsOperation)7, [], Tee.ErrorNotSupported },
        { (StatisticsOperation)uint.MaxValue, [], Tee.ErrorNotSupported },
    };

    [Theory, MemberData(nameof(Malformed))]
    public void MalformedQuestionsAreRefused(StatisticsOperation operation, ulong[] parameters, uint result)
    {
        World world = World.Ready();
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        Assert.Equal(result, Invoke(world, session, operation, parameters));
    }

    private static uint Invoke(World world, uint session, StatisticsOperation operation, ulong[] parameters)
    {
        MessageParameter[] four = [.. parameters.Chunk(4).Select(words => new MessageParameter { Attribute = words[0], A = words[1], B = words[2], C = words[3] })];
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, (uint)operation, session, four);
        world.CallRegistered();
        return world.Get<MessageArgument>(World.CallPage).Result;
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]);
}
