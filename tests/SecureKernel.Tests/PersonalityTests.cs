using System;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Reflection of exceptions into a component, and the way back.</summary>
public class PersonalityTests
{
    private const ulong Handler = Sk.EntryPoint + 0x100;
    private const ulong HandlerStack = UserLayout.StackTop - 0x2000;
    private const ulong ContextPage = UserLayout.StackTop - 0x8000;

    private static Sk Installed()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.KitSlot, Sk.Kit);
        sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, ContextPage);
        Assert.Equal(Status.Ok, sk.Result(Sk.Kit));
        return sk;
    }

    private static ref UserContext Saved(Sk sk) =>
        ref FakeMachine.At<UserContext>(sk.At(Sk.Kit).Space.Translate<FakeMachine>(ContextPage, write: true));

    [Theory]
    [InlineData(0x15ul, 0ul, ReflectReason.SystemCall)]
    [InlineData(0x20ul, 7ul, ReflectReason.Fault)]
    [InlineData(0x24ul, 0x47ul, ReflectReason.Fault)]
    [InlineData(0x00ul, 0ul, ReflectReason.Exception)]
    [InlineData(0x3Cul, 1ul, ReflectReason.Exception)]
    [InlineData(0x22ul, 0ul, ReflectReason.Exception)]
    public void ExceptionsGoToTheHandlerOnceAndThenAreTheEnd(ulong exceptionClass, ulong rest, ReflectReason reason)
    {
        Sk sk = Installed();
        ref UserContext context = ref sk.On(Sk.Kit).Context;
        context.X[8] = 64;
        context.X[19] = 0x1919;
        context.ProgramCounter = 0x1234;
        context.StackPointer = 0x5678;
        context.ProcessorState = 0xF000_0000;
        Assert.Equal(Step.Run, sk.Fault(0, exceptionClass, rest));
        Assert.Equal(((ulong)reason, ContextPage, Handler, HandlerStack, 0ul), (context.X[0], context.X[1], context.ProgramCounter, context.StackPointer, context.ProcessorState));
        Assert.Equal((0x1234ul, 0x5678ul, 64ul, 0x1919ul, (exceptionClass << 26) | rest), (Saved(sk).ProgramCounter, Saved(sk).StackPointer, Saved(sk).X[8], Saved(sk).X[19], Saved(sk).Syndrome));

        Assert.Equal(reason == ReflectReason.SystemCall ? 0ul : 1ul, sk.State.Counters[(int)SkCounter.ReflectedFaults]);

        // In the handler there is nobody to ask.
        sk.Fault(0, exceptionClass, rest);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(ComponentState.Dead, sk.At(Sk.Kit).Life);
    }

    [Fact]
    public void WhateverAContextSaysItRunsAtEl0Unmasked()
    {
        Sk sk = Installed();
        Gen.ULong.Sample(
            state =>
            {
                sk.Fault(0, 0x15);
                Saved(sk).ProcessorState = state;
                Saved(sk).ProgramCounter = state ^ 0xABC;
                Assert.Equal(Step.Run, sk.Call(0, SecureCall.ResumeContext, ContextPage));
                UserContext context = sk.On(Sk.Kit).Context;

                // NZCV, DIT, SSBS: no mode, no mask, no step, no illegal state.
                Assert.Equal(state & 0xF100_1000, context.ProcessorState);
                Assert.Equal(0ul, context.ProcessorState & 0x3FF);
                Assert.Equal(0ul, context.ProcessorState & (1ul << 21 | 1ul << 20));
                Assert.Equal(state ^ 0xABC, context.ProgramCounter);
                Assert.False(sk.On(Sk.Kit).Personality.InHandler);
            },
            iter: 1000,
            threads: 1);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(ContextPage + 8)]
    [InlineData(ContextPage + 0xE00)]
    [InlineData(UserLayout.MmapBase)]
    [InlineData(UserLayout.SharedBase)]
    [InlineData(0xFFFF_0000_4040_0000ul)]
    [InlineData(ulong.MaxValue - 15)]
    public void ContextsThatAreNotThereAreRefused(ulong address)
    {
        Sk sk = Installed();
        sk.Fault(0, 0x15);
        ulong counter = sk.On(Sk.Kit).Context.ProgramCounter;
        sk.Call(0, SecureCall.ResumeContext, address);
        Assert.Equal((Status.BadAddress, counter, true), (sk.Result(Sk.Kit), sk.On(Sk.Kit).Context.ProgramCounter, sk.On(Sk.Kit).Personality.InHandler));
    }

    [Theory]
    [InlineData(0ul, HandlerStack, ContextPage, Status.BadArgument)]
    [InlineData(Handler + 2, HandlerStack, ContextPage, Status.BadArgument)]
    [InlineData(Handler, HandlerStack + 8, ContextPage, Status.BadArgument)]
    [InlineData(Handler, HandlerStack, ContextPage + 16, Status.BadArgument)]
    [InlineData(Handler, HandlerStack, UserLayout.StartInfo, Status.BadAddress)]
    [InlineData(Handler, HandlerStack, UserLayout.MmapBase, Status.BadAddress)]
    [InlineData(Handler, HandlerStack, 0ul, Status.BadAddress)]
    public void PersonalitiesAreChecked(ulong handler, ulong stack, ulong page, Status status)
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.KitSlot, Sk.Kit);
        sk.Call(0, SecureCall.SetPersonality, handler, stack, page);
        Assert.Equal((status, 0ul), (sk.Result(Sk.Kit), sk.On(Sk.Kit).Personality.Handler));
        sk.Call(0, SecureCall.ResumeContext, ContextPage);
        Assert.Equal(Status.BadState, sk.Result(Sk.Kit));
    }

    [Fact]
    public void AnInterruptIsNotSeen()
    {
        Sk sk = Installed();
        sk.On(Sk.Kit).Context.X[0] = 77;
        sk.Interrupt(0);
        ulong token = sk.Answer(0).X3;
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
        sk.AssertRuns(0, Sk.Kit);
        Assert.Equal((77ul, false), (sk.On(Sk.Kit).Context.X[0], sk.On(Sk.Kit).Personality.InHandler));
    }

    [Fact]
    public void APersonalityWithoutItsPageEnds()
    {
        foreach (bool tick in new[] { false, true })
        {
            Sk sk = Sk.Boot();
            sk.Forward(0, Sk.KitSlot, Sk.Kit);
            sk.Call(0, SecureCall.MapMemory, UserLayout.PrivateBase, 1, 3);
            sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, UserLayout.PrivateBase);
            Assert.Equal(Status.Ok, sk.Result(Sk.Kit));
            sk.Call(0, SecureCall.ProtectMemory, UserLayout.PrivateBase, 1, 1);
            if (tick)
            {
                sk.On(Sk.Kit).Kicked = true;
                sk.Interrupt(0);
                sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.Answer(0).X3);
            }
            else
            {
                sk.Fault(0, 0x15);
            }

            sk.AssertRuns(0, Sk.Proxy);
            Assert.Equal((ComponentState.Dead, Status.PeerDied), (sk.At(Sk.Kit).Life, sk.Message(Sk.Proxy).Status));
        }
    }
}
