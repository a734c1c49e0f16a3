using System;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Boot stage 3: no .NET component starts before ExclaveKit's text is minted, and nobody ever writes it.</summary>
public class KitTests
{
    private const uint KitPart = 8;
    private const uint OtherPart = 9;
    private const uint CallsKit = 10;
    private const ulong ReadWrite = (ulong)(MemoryAccess.Read | MemoryAccess.Write);

    private static ulong Image => Sk.Entry(Sk.Kit).Segments[0].PhysicalBase;

    /// <summary>Component 4 is a .NET one; Entropy mints, and Hello calls both.</summary>
    private static Sk Booted(ulong kitBytes = 0x2000)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Kit).Kind = ComponentKind.DotNet;
        Sk.Grant(Sk.Entropy, GrantKind.Kit, KitPart, Image, kitBytes);
        Sk.Grant(Sk.Entropy, GrantKind.Kit, OtherPart, Image + 0x2000, 0x1000);
        Sk.Grant(Sk.Hello, GrantKind.Endpoint, CallsKit, Sk.Kit, 0xE8);
        FakeMachine.Machine.Memory.AsSpan((int)(Image - FakeMachine.MemoryBase), 0x1000).Fill(0xAB);
        return Sk.BootPrepared(sk);
    }

    /// <summary>Hello, which serves a call on CPU 0, calls Entropy, which makes its system call and answers.</summary>
    private static Status Mint(Sk sk, ulong slot = KitPart, SecureCall call = SecureCall.MintKit, ulong x1 = 0)
    {
        sk.Message(Sk.Hello).Length = 0;
        sk.Message(Sk.Hello).Label = MessageLabel.Random;
        sk.Call(0, SecureCall.Call, 2);
        sk.AssertRuns(0, Sk.Entropy);
        sk.Call(0, call, slot, x1);
        Status status = sk.Result(Sk.Entropy);
        sk.Message(Sk.Entropy).Label = MessageLabel.Reply;
        sk.Message(Sk.Entropy).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Hello);
        return status;
    }

    private static Status Call(Sk sk, SecureCall call)
    {
        sk.Message(Sk.Hello).Length = 0;
        sk.Message(Sk.Hello).Label = MessageLabel.Peer;
        sk.Call(0, call, CallsKit);
        sk.AssertRuns(0, Sk.Hello);
        return sk.Result(Sk.Hello);
    }

    [Fact]
    public void BeforeItIsMintedNobodyStartsADotNetComponent()
    {
        Sk sk = Booted();
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        foreach (SecureCall call in new[] { SecureCall.Forward, SecureCall.ForwardReceive })
        {
            sk.Message(Sk.Proxy).Label = MessageLabel.Open;
            sk.Message(Sk.Proxy).Length = 0;
            sk.Call(0, call, Sk.KitSlot);
            sk.AssertRuns(0, Sk.Proxy);
            Assert.Equal(Status.NotPopulated, sk.Result(Sk.Proxy));
        }

        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal([Status.NotPopulated, Status.NotPopulated, Status.NotPopulated], new[] { Call(sk, SecureCall.Call), Call(sk, SecureCall.TryCall), Call(sk, SecureCall.Send) });
        Assert.Equal((ComponentState.Idle, 1u, 0ul, 0ul), (sk.At(Sk.Kit).Life, sk.At(Sk.Kit).Generation, sk.At(Sk.Kit).Memory.UsedFrames, sk.EndpointOf(Sk.Kit).Head));
    }

    [Fact]
    public void OnceMintedItIsMappedInPlaceAndStaysAsItIsForEver()
    {
        Sk sk = Booted();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal(Status.Ok, Mint(sk));
        Assert.Equal(Status.Ok, Mint(sk));
        Assert.Equal((Image, 0x2000ul), (sk.State.KitBase, sk.State.KitBytes));
        Assert.Equal(Status.BadState, Mint(sk, OtherPart));
        Assert.Equal((Image, 0x2000ul), (sk.State.KitBase, sk.State.KitBytes));
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(0);

        for (uint life = 1; life <= 2; life++)
        {
            ulong downcall = sk.Forward(0, Sk.KitSlot, Sk.Kit);
            ref Component kit = ref sk.At(Sk.Kit);
            PageEntry text = kit.Space.Lookup<FakeMachine>(Sk.EntryPoint);
            Assert.Equal((life, Image, PageSource.Image, true, false), (kit.Generation, text.Frame, text.Source, text.IsExecutable, text.IsWritable));
            PageEntry data = kit.Space.Lookup<FakeMachine>(Sk.EntryPoint + 0x1000);
            Assert.Equal((false, PageSource.Owned), (data.Frame - Image < 0x2000, data.Source));
            foreach (SecureCall call in new[] { SecureCall.MapMemory, SecureCall.UnmapMemory, SecureCall.ProtectMemory })
            {
                sk.Call(0, call, Sk.EntryPoint, 1, ReadWrite);
                Assert.Equal(Status.BadAddress, sk.Result(Sk.Kit));
            }

            Assert.Equal(text.Value, kit.Space.Lookup<FakeMachine>(Sk.EntryPoint).Value);
            sk.Call(0, SecureCall.Exit, 1);
            sk.AssertRuns(0, Sk.Proxy);
            sk.Complete(0, SecureCall.Restart, Sk.Kit);
            Assert.Equal((Status.Ok, 0ul), (sk.Result(Sk.Proxy), kit.Memory.UsedFrames));
            sk.Call(0, SecureCall.FinishReceive, downcall);
            sk.Answer(0);
            Assert.Equal(-1, FakeMachine.Machine.Memory.AsSpan((int)(Image - FakeMachine.MemoryBase), 0x1000).IndexOfAnyExcept((byte)0xAB));
        }
    }

    /// <summary>The capability is boot's, and nobody else's.</summary>
    [Fact]
    public void OnlyWhoHoldsThePartMintsAndItGoesNowhere()
    {
        Sk sk = Booted();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        for (ulong slot = 0; slot < 140; slot++)
        {
            if (slot is not KitPart and not OtherPart)
            {
                Assert.Equal(Status.BadCapability, Mint(sk, slot));
            }

            sk.Call(0, SecureCall.MintKit, slot);
            Assert.Equal(Status.BadCapability, sk.Result(Sk.Hello));
        }

        Assert.Equal(Status.Denied, Mint(sk, 20, SecureCall.Move, KitPart));
        Assert.Equal(Status.Denied, Mint(sk, 20, SecureCall.Derive, KitPart));
        Assert.Equal(Status.Denied, Mint(sk, KitPart, SecureCall.Delete));
        Assert.Equal(Status.BadCapability, Mint(sk, KitPart, SecureCall.MapFrame, UserLayout.PrivateBase));
        Assert.Equal(0ul, sk.State.KitBytes);
    }

    /// <summary>Text that is not the minted one is no text: the component ends before its first instruction.</summary>
    [Theory]
    [InlineData(0x1000ul, 0ul)]
    [InlineData(0x2000ul, 0x1000ul)]
    [InlineData(0x2000ul, ulong.MaxValue - 0xFFF)]
    public void ADotNetComponentHasNoOtherKit(ulong kitBytes, ulong moved)
    {
        Sk sk = Booted(kitBytes);
        Sk.Entry(Sk.Kit).Segments[1].PhysicalBase += moved;
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal(Status.Ok, Mint(sk));
        if (moved == ulong.MaxValue - 0xFFF)
        {
            Sk.Entry(Sk.Kit).Segments[1].PhysicalBase -= 0x1000;
        }

        Assert.Equal(Status.PeerDied, Call(sk, SecureCall.Call));
        Assert.Equal(ComponentState.Dead, sk.At(Sk.Kit).Life);
    }

    [Theory]
    [InlineData(0x800ul, 0x1000ul)]
    [InlineData(0ul, 0ul)]
    [InlineData(0ul, 0x800ul)]
    public void APartIsWholePages(ulong offset, ulong bytes)
    {
        Sk sk = Sk.Prepare();
        Sk.Grant(Sk.Entropy, GrantKind.Kit, KitPart, Image + offset, bytes);
        Assert.Equal(PanicCode.BadBootInfo, Assert.Throws<PanicException>(sk.Initialize).Code);
    }
}
