using System.Linq;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Interrupts of secure devices: Linux brings them, late, twice or for nothing; they signal what their driver named, and only that.</summary>
public class InterruptTests
{
    private const uint InterruptSlot = 9;
    private const uint UntypedSlot = 10;
    private const uint NotificationSlot = 11;
    private const uint SignalSlot = 12;
    private const ulong Bit = 4;

    /// <summary>Hello drives a device: the interrupt is in slot 9, more in 20 and following; a notification in 11, the right to set a bit of it in 12. It serves a call on CPU 0.</summary>
    private static Sk Driving(int interrupts = 1)
    {
        Sk sk = Sk.Prepare();
        for (uint i = 0; i < interrupts; i++)
        {
            Sk.Grant(Sk.Hello, GrantKind.Interrupt, i == 0 ? InterruptSlot : 20 + i, Virt.NotificationIntId + i, 0);
        }

        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, 0x1_0000, 0);
        sk = Sk.BootPrepared(sk);
        Serve(sk);
        return sk;
    }

    private static void Serve(Sk sk)
    {
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Complete(0, SecureCall.Retype, UntypedSlot, (ulong)ObjectKind.Notification, 0, NotificationSlot, 1);
        sk.Call(0, SecureCall.Derive, SignalSlot, NotificationSlot, (ulong)CapabilityRights.All, Bit);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
    }

    private static Status Bind(Sk sk, ulong interrupt = InterruptSlot, ulong notification = SignalSlot)
    {
        Assert.Equal(Step.Run, sk.Call(0, SecureCall.BindInterrupt, interrupt, notification));
        return sk.Result(Sk.Hello);
    }

    /// <summary>Linux's driver makes the call of its bottom half on CPU 1.</summary>
    private static void Interrupt(Sk sk)
    {
        sk.Enter(1, Tee.CallWithRegdArg, 6);
        sk.AssertRuns(1, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        sk.Call(1, SecureCall.LendTime, downcall);
        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
        sk.Call(1, SecureCall.Receive);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Call(1, SecureCall.FinishReceive, downcall);
        Assert.Equal(0ul, sk.Answer(1).X0);
    }

    private static ulong Raised(Sk sk) => sk.State.Counters[(int)SkCounter.Interrupts];

    private static (Status Status, ulong Bits) Poll(Sk sk)
    {
        sk.Call(0, SecureCall.Poll, NotificationSlot);
        return (sk.Result(Sk.Hello), sk.On(Sk.Hello).Context.X[1]);
    }

    [Fact]
    public void WhoWaitsForTheDeviceGoesOn()
    {
        Sk sk = Driving();
        Assert.Equal(Status.Ok, Bind(sk));
        sk.Call(0, SecureCall.Wait, NotificationSlot);
        ulong token = sk.Answer(0).X3;
        Assert.Equal(ThreadState.Listening, sk.On(Sk.Hello).State);
        Interrupt(sk);
        Assert.Equal(ThreadState.Ready, sk.On(Sk.Hello).State);
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((Status.Ok, Bit), (sk.Result(Sk.Hello), sk.On(Sk.Hello).Context.X[1]));
    }

    [Fact]
    public void ManyInterruptsAreOneBitUntilItIsTaken()
    {
        Sk sk = Driving();
        Bind(sk);
        Interrupt(sk);
        Interrupt(sk);
        Assert.Equal((Status.Ok, Bit), Poll(sk));
        Assert.Equal(Status.Busy, Poll(sk).Status);
        Assert.Equal(2ul, Raised(sk));
    }

    /// <summary>Somebody lends already: the device is not kept waiting until that one is done.</summary>
    [Fact]
    public void ALendThatIsRefusedBringsItToo()
    {
        Sk sk = Driving();
        Bind(sk);
        sk.State.Background.Lender = 1;
        sk.Enter(1, Tee.CallWithRegdArg, 6);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Call(1, SecureCall.LendTime, sk.Message(Sk.Proxy).Downcall);
        Assert.Equal((Status.BadState, 1ul), (sk.Result(Sk.Proxy), Raised(sk)));
    }

    [Theory]
    [InlineData(0, SignalSlot, Status.BadCapability)]
    [InlineData(UntypedSlot, SignalSlot, Status.BadCapability)]
    [InlineData(SignalSlot, SignalSlot, Status.BadCapability)]
    [InlineData(1000, SignalSlot, Status.BadCapability)]
    [InlineData(InterruptSlot, InterruptSlot, Status.BadCapability)]
    [InlineData(InterruptSlot, UntypedSlot, Status.BadCapability)]
    [InlineData(InterruptSlot, 30, Status.BadCapability)]
    [InlineData(InterruptSlot, ulong.MaxValue, Status.BadCapability)]
    [InlineData(InterruptSlot, 13, Status.Denied)]
    public void OnlyAnInterruptIsBoundAndOnlyToWhatOneMaySignal(ulong interrupt, ulong notification, Status expected)
    {
        Sk sk = Driving();
        sk.Call(0, SecureCall.Derive, 13, NotificationSlot, (ulong)CapabilityRights.Receive, 0);
        Assert.Equal(expected, Bind(sk, interrupt, notification));
        Interrupt(sk);
        Assert.Equal(0ul, Raised(sk));
    }

    [Fact]
    public void AnInterruptIsItsHoldersOwn()
    {
        Sk sk = Driving();
        sk.Call(0, SecureCall.Derive, 13, InterruptSlot, (ulong)CapabilityRights.All, 0);
        Assert.Equal(Status.Denied, sk.Result(Sk.Hello));
        sk.Call(0, SecureCall.Move, 13, InterruptSlot);
        Assert.Equal(Status.Denied, sk.Result(Sk.Hello));
        sk.Call(0, SecureCall.Delete, InterruptSlot);
        Assert.Equal(Status.Denied, sk.Result(Sk.Hello));
    }

    [Fact]
    public void AfterItIsUnboundNothingComes()
    {
        Sk sk = Driving();
        Bind(sk);
        Assert.Equal(Status.Ok, Bind(sk, notification: 0));
        Interrupt(sk);
        Assert.Equal((0ul, Status.Busy), (Raised(sk), Poll(sk).Status));
    }

    /// <summary>The memory of the notification is something else by then.</summary>
    [Fact]
    public void ANotificationThatIsGoneIsNotSignalled()
    {
        Sk sk = Driving();
        Bind(sk);
        sk.Complete(0, SecureCall.Revoke, UntypedSlot);
        sk.Complete(0, SecureCall.Retype, UntypedSlot, (ulong)ObjectKind.Endpoint, 0, SignalSlot, 1);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        ulong made = FakeMachine.At<CapabilitySlot>(sk.At(Sk.Hello).Capabilities.Find<FakeMachine>(SignalSlot)).Capability.Object;
        Endpoint before = FakeMachine.At<Endpoint>(made);
        Interrupt(sk);
        Assert.Equal((0ul, before), (Raised(sk), FakeMachine.At<Endpoint>(made)));
    }

    /// <summary>The next life has the same slots, and has bound nothing.</summary>
    [Fact]
    public void ABindingEndsWithItsComponent()
    {
        Sk sk = Driving();
        Bind(sk);
        sk.Call(0, SecureCall.Exit, 1);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Complete(0, SecureCall.Restart, Sk.Hello);
        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(0);
        Interrupt(sk);
        Assert.Equal(0ul, Raised(sk));
        Serve(sk);
        Interrupt(sk);
        Assert.Equal((0ul, Status.Busy), (Raised(sk), Poll(sk).Status));
        Assert.Equal(Status.Ok, Bind(sk));
        Interrupt(sk);
        Assert.Equal((1ul, Status.Ok), (Raised(sk), Poll(sk).Status));
    }

    [Fact]
    public void AllThatShareTheLineAreTold()
    {
        Sk sk = Driving(Limits.Interrupts + 1);
        uint[] slots = [InterruptSlot, .. Enumerable.Range(21, Limits.Interrupts).Select(i => (uint)i)];
        Assert.All(slots[..Limits.Interrupts], slot => Assert.Equal(Status.Ok, Bind(sk, slot)));
        Assert.Equal(Status.NoMemory, Bind(sk, slots[^1]));
        Assert.Equal(Status.Ok, Bind(sk));
        Interrupt(sk);
        Assert.Equal((ulong)Limits.Interrupts, Raised(sk));
        Assert.Equal(Status.Ok, Bind(sk, notification: 0));
        Assert.Equal(Status.Ok, Bind(sk, slots[^1]));
    }
}
