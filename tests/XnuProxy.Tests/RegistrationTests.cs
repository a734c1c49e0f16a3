using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>REGISTER and UNREGISTER: page lists of Linux, all or nothing.</summary>
public class RegistrationTests
{
    private static ulong[] Pages(int count) => [.. Enumerable.Range(0, count).Select(i => World.BufferPage + ((ulong)i * 0x2000))];

    [Theory]
    [InlineData(1, 0)]
    [InlineData(16, 0xFFF)]
    [InlineData(17, 8)]
    [InlineData(64, 0)]
    [InlineData(511, 0)]
    [InlineData(512, 1)]
    [InlineData(1200, 0x800)]
    public void EveryPageOfAListIsMappedInOrder(int count, ulong offset)
    {
        World world = World.Create();
        Assert.Equal(Tee.Success, world.Register(7, Pages(count), offset, ((ulong)count * 4096) - offset));
        Assert.Equal(Pages(count), world.Window.OrderBy(pair => pair.Key).Select(pair => pair.Value));
        int index = world.State.Registrations.Find(7);
        Assert.True(SharedMemory<FakeSystem>.TryPlace(ref world.State, 7, 0, 1, out SharedPlace place));
        Assert.Equal(RegistrationTable.WindowOf(index) + offset, place.Address);
        Assert.Equal(Tee.Success, world.Unregister(7));
        Assert.Equal((0, 0, 0, 0), world.Counts);
    }

    [Fact]
    public void AnswersWriteResultAndOriginAlone()
    {
        World world = World.Create();
        world.Register(7, Pages(2), 0, 8192);
        Assert.Equal(Enumerable.Range(20, 8).Select(i => World.ArgumentPage + (ulong)i), world.Written.Order());
        Assert.Equal(Tee.OriginTee, world.Get<MessageArgument>(World.ArgumentPage).Origin);
    }

    public static TheoryData<string, ulong, ulong, ulong, uint> Malformed => new()
    {
        // what                       attribute                                     a                       b           result
        { "contiguous",               MessageParameter.TemporaryOutput,             World.ListPage,         4096,       Tee.ErrorBadParameters },
        { "registered reference",     MessageParameter.RegisteredInput | 0x200,     World.ListPage,         4096,       Tee.ErrorBadParameters },
        { "value",                    MessageParameter.ValueInput | 0x200,          World.ListPage,         4096,       Tee.ErrorBadParameters },
        { "meta",                     MessageParameter.TemporaryOutput | 0x300,     World.ListPage,         4096,       Tee.ErrorBadParameters },
        { "high attribute bits",      MessageParameter.TemporaryOutput | 1ul << 40 | 0x200, World.ListPage, 4096,       Tee.ErrorBadParameters },
        { "no bytes",                 MessageParameter.TemporaryOutput | 0x200,     World.ListPage,         0,          Tee.ErrorBadParameters },
        { "all bytes",                MessageParameter.TemporaryOutput | 0x200,     World.ListPage,         ulong.MaxValue, Tee.ErrorOutOfMemory },
        { "wraps with its offset",    MessageParameter.TemporaryOutput | 0x200,     World.ListPage | 0xFFF, ulong.MaxValue - 0xFFE, Tee.ErrorOutOfMemory },
        { "one byte too many",        MessageParameter.TemporaryOutput | 0x200,     World.ListPage | 1,     0x400_0000, Tee.ErrorOutOfMemory },
        { "list outside RAM",         MessageParameter.TemporaryOutput | 0x200,     0,                      4096,       Tee.ErrorBadParameters },
        { "list of zeros",            MessageParameter.TemporaryOutput | 0x200,     World.ListPage + 0x10_0000, 4096,   Tee.ErrorBadParameters },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void MalformedRegistrationsLeaveNothing(string what, ulong attribute, ulong a, ulong b, uint result)
    {
        World world = World.Create();
        world.WriteList(World.ListPage, Pages(2));
        Assert.True(result == world.Register(new MessageParameter { Attribute = attribute, A = a, B = b, C = 7 }), what);
        Assert.Equal((0, 0, 0, 0), world.Counts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(510)]
    [InlineData(511)]
    [InlineData(1199)]
    public void OnePageThatIsRefusedUndoesAll(int bad)
    {
        foreach (bool unaligned in new[] { false, true })
        {
            World world = World.Create();
            ulong[] pages = Pages(1200);
            if (unaligned)
            {
                pages[bad] |= 8;
            }
            else
            {
                world.Refused.Add(pages[bad]);
            }

            Assert.Equal(Tee.ErrorBadParameters, world.Register(7, pages, 0, 1200 * 4096));
            Assert.Equal((0, 0, 0, 0), world.Counts);
        }
    }

    [Fact]
    public void AListThatEndsEarlyOrLoopsIsWalkedOnlyAsFarAsItsSizeAsks()
    {
        World world = World.Create();
        world.WriteList(World.ListPage, Pages(511));
        world.Put(World.ListPage + (511 * 8), 0ul);
        MessageParameter parameter = new() { Attribute = MessageParameter.TemporaryOutput | MessageParameter.NonContiguous, A = World.ListPage, B = 512 * 4096, C = 7 };
        Assert.Equal(Tee.ErrorBadParameters, world.Register(parameter));
        Assert.Equal((0, 0, 0, 0), world.Counts);

        // A list that names itself lends the same pages again and again, and ends with the size.
        world.Put(World.ListPage + (511 * 8), World.ListPage);
        int reads = 0;
        world.AfterRead = () => reads++;
        parameter.B = 2000 * 4096;
        Assert.Equal(Tee.Success, world.Register(parameter));
        Assert.Equal(2000, world.Window.Count);
        Assert.Equal(1 + 4, reads);

        // The link must be aligned, too.
        world.Put(World.ListPage + (511 * 8), World.ListPage | 8);
        parameter.C = 8;
        Assert.Equal(Tee.ErrorBadParameters, world.Register(parameter));
        Assert.Equal((0, 1, 0, 2000), world.Counts);
    }

    [Fact]
    public void AListThatChangesUnderTheWalkIsReadOnce()
    {
        World world = World.Create();
        ulong[] pages = Pages(200);
        world.WriteList(World.ListPage, pages);
        int reads = 0;
        world.AfterRead = () =>
        {
            if (++reads == 2)
            {
                MemoryMarshal.Cast<byte, ulong>(world.Linux(World.ListPage, 4096)).Fill(0xBAD);
            }

            world.Put(World.ArgumentPage + MessageArgument.Bytes + 16, 0xFFFF_FFFFul);
        };
        MessageParameter parameter = new() { Attribute = MessageParameter.TemporaryOutput | MessageParameter.NonContiguous, A = World.ListPage, B = 200 * 4096, C = 7 };
        Assert.Equal(Tee.Success, world.Register(parameter));
        Assert.Equal(pages, world.Window.OrderBy(pair => pair.Key).Select(pair => pair.Value));
    }

    [Fact]
    public void ACookieThatComesAgainReplacesTheOldBuffer()
    {
        World world = World.Ready();
        Assert.True(SharedMemory<FakeSystem>.TryPlace(ref world.State, World.BufferCookie, 0, 1, out SharedPlace old));
        Assert.Equal(Tee.Success, world.Register(World.BufferCookie, [World.BufferPage + 0x5000], 0, 100));
        Assert.Equal((0, 2, 0, 2), world.Counts);
        Assert.False(SharedMemory<FakeSystem>.IsValid(ref world.State, in old));
        Assert.False(SharedMemory<FakeSystem>.TryPlace(ref world.State, World.BufferCookie, 0, 101, out _));
    }

    [Fact]
    public void UnknownAndMalformedUnregistrationsChangeNothing()
    {
        World world = World.Ready();
        var before = world.Counts;
        Assert.Equal(Tee.ErrorBadParameters, world.Unregister(1));
        foreach (ulong attribute in new ulong[] { 0, 1, 6, 9, 0x105, 0x205, 5 | 1ul << 63 })
        {
            Assert.Equal(Tee.ErrorBadParameters, world.Unregistered(MessageCommand.UnregisterShm, new MessageParameter { Attribute = attribute, C = World.BufferCookie }));
        }

        Assert.Equal(before, world.Counts);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(uint.MaxValue)]
    public void ExactlyOneParameter(uint count)
    {
        World world = World.Create();
        world.WriteArgument(World.ArgumentPage, MessageCommand.RegisterShm, 0, 0);
        world.Put(World.ArgumentPage + MessageArgument.CountOffset, count);
        world.CallUnregistered(World.ArgumentPage);
        Assert.Equal(Tee.ErrorBadParameters, world.Get<MessageArgument>(World.ArgumentPage).Result);
    }

    [Theory]
    [InlineData(World.ArgumentPage + 8)]
    [InlineData(0ul)]
    [InlineData(ulong.MaxValue & ~0xFFFul)]
    public void AnArgumentThatCannotBeReadIsABadAddress(ulong argument)
    {
        World world = World.Create();
        Decision decision = world.CallUnregistered(argument);
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), (decision.Ending, decision.X0));
        Assert.Empty(world.Written);
    }

    [Fact]
    public void TheTableFillsAndEmpties()
    {
        World world = World.Create();
        for (int i = 0; i < RegistrationTable.SmallCount; i++)
        {
            Assert.Equal(Tee.Success, world.Register((ulong)i << 12, [World.BufferPage], 0, 1));
        }

        Assert.Equal(Tee.ErrorOutOfMemory, world.Register(0xABC, [World.BufferPage], 0, 1));
        for (int i = 0; i < RegistrationTable.SmallCount; i++)
        {
            Assert.Equal(Tee.Success, world.Unregister((ulong)i << 12));
        }

        Assert.Equal((0, 0, 0, 0), world.Counts);
    }

    [Fact]
    public void WindowsNeverOverlap()
    {
        ulong end = UserLayout.SharedBase;
        for (int i = 0; i < RegistrationTable.Capacity; i++)
        {
            Assert.True(RegistrationTable.WindowOf(i) >= end);
            end = RegistrationTable.WindowOf(i) + ((i < RegistrationTable.SmallCount ? RegistrationTable.SmallPages : RegistrationTable.LargePages) * 4096ul);
        }

        Assert.True(end <= UserLayout.SharedEnd);
    }

    [Fact]
    public void RandomWalksMatchADictionary()
    {
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 40], Gen.Bool).Array[1, 60].Sample(steps =>
        {
            World world = World.Create();
            Dictionary<ulong, int> model = [];
            foreach (var (cookie, pages, unregister) in steps)
            {
                if (unregister || pages == 0)
                {
                    Assert.Equal(model.Remove((ulong)cookie), world.Unregister((ulong)cookie) == Tee.Success);
                }
                else
                {
                    Assert.Equal(Tee.Success, world.Register((ulong)cookie, Pages(pages), 0, (ulong)pages * 4096));
                    model[(ulong)cookie] = pages;
                }

                Assert.Equal((0, model.Count, 0, model.Values.Sum()), world.Counts);
            }

            world.Send(MessageLabel.WorldReset, 0);
            Assert.Equal((0, 0, 0, 0), world.Counts);
        }, iter: 100);
    }

    /// <summary>The same few pages under many names, at every offset, with cookies that are live, dead, 0 or all ones, and lists that are refused at their end.</summary>
    [Fact]
    public void ALongHostileRunLeavesNothing()
    {
        ulong[] cookies = [0, 1, ulong.MaxValue, 1ul << 63, 0xFFFF_0000_0000_0000, .. Enumerable.Range(2, 11).Select(i => (ulong)i << 12)];
        ulong[] pages = Pages(8);
        Gen.Select(Gen.Int[0, 15], Gen.Int[0, 7].Array[1, 30], Gen.Int[0, 4095], Gen.Int[0, 11]).Array[3000].Sample(
            steps =>
            {
                World world = World.Create();
                world.Refused.Add(World.BufferPage + 0x10_0000);
                Dictionary<ulong, ulong[]> model = [];
                foreach (var (name, list, offset, kind) in steps)
                {
                    ulong cookie = cookies[name];
                    ulong[] wanted = [.. list.Select(i => pages[i])];
                    if (kind < 3)
                    {
                        Assert.Equal(model.Remove(cookie), world.Unregister(cookie) == Tee.Success);
                        continue;
                    }

                    bool isSpoiled = kind == 3;
                    wanted[^1] = isSpoiled ? World.BufferPage + 0x10_0000 : wanted[^1];
                    ulong bytes = ((ulong)wanted.Length * 4096) - (ulong)offset;
                    Assert.Equal(isSpoiled ? Tee.ErrorBadParameters : Tee.Success, world.Register(cookie, wanted, (ulong)offset, bytes));
                    model.Remove(cookie);
                    if (isSpoiled)
                    {
                        Assert.False(SharedMemory<FakeSystem>.TryPlace(ref world.State, cookie, 0, 1, out _));
                        continue;
                    }

                    model[cookie] = wanted;
                    Assert.True(SharedMemory<FakeSystem>.TryPlace(ref world.State, cookie, bytes - 1, 1, out SharedPlace last));
                    Assert.False(SharedMemory<FakeSystem>.TryPlace(ref world.State, cookie, bytes, 1, out _));
                    Assert.Equal(wanted[^1], world.Window[last.Address & ~0xFFFul]);
                    Assert.Equal((0, model.Count, 0, model.Values.Sum(value => value.Length)), world.Counts);
                }

                Assert.Equal(model.Values.SelectMany(value => value).Order(), world.Window.Values.Order());
                foreach (ulong cookie in model.Keys)
                {
                    Assert.Equal(Tee.Success, world.Unregister(cookie));
                }

                Assert.Equal((0, 0, 0, 0), world.Counts);
            },
            iter: 10);
    }
}
