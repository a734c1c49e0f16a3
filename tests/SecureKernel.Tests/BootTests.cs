using System;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>The image's tables become SK's objects, or SK does not start (I10).</summary>
public class BootTests
{
    [Fact]
    public void GrantsBecomeCapabilitiesAndNothingElseDoes()
    {
        Sk sk = Sk.Boot();
        for (int i = 0; i < Sk.Count; i++)
        {
            ref CapabilityTable table = ref sk.At(i).Capabilities;
            ref ComponentEntry entry = ref Sk.Entry(i);
            Assert.Equal(Status.Ok, table.Decode<FakeMachine>(ComponentEntry.OwnEndpointSlot, CapabilityKind.Endpoint, CapabilityRights.Receive, out _, out Capability own));
            Assert.Equal((sk.At(i).Endpoint, i), (own.Object, FakeMachine.At<Endpoint>(own.Object).Owner));
            Assert.Equal(Status.Denied, table.Decode<FakeMachine>(ComponentEntry.OwnEndpointSlot, CapabilityKind.Endpoint, CapabilityRights.Send, out _, out _));
            uint filled = 0;
            for (uint slot = 1; slot < table.Slots; slot++)
            {
                filled += IsEmpty(in table, slot) ? 0u : 1;
            }

            Assert.Equal(0ul, FakeMachine.At<CapabilitySlot>(table.Base).Word);
            Assert.Equal(1 + entry.GrantCount + (i >= Sk.Hello ? 1u : 0), filled);
            Assert.Equal(i == Sk.Proxy, table.MayUse(CapabilityKind.Downcall));
            Assert.Equal(i >= Sk.Hello, !IsEmpty(in table, ComponentEntry.UpcallSlot));
        }
    }

    private static bool IsEmpty(in CapabilityTable table, uint slot) => FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(slot)).IsEmpty;

    [Fact]
    public void QuotasDoNotOverlap()
    {
        Sk sk = Sk.Boot();
        ulong end = sk.State.MessagePages + (Limits.Downcalls * Limits.PageBytes);
        for (int i = 0; i < Sk.Count; i++)
        {
            ref Component component = ref sk.At(i);
            Assert.Equal(end, component.Capabilities.Base);
            Assert.Equal(component.Capabilities.Base + (component.Capabilities.Slots * CapabilitySlot.Bytes), component.Endpoint);
            Assert.Equal(component.Endpoint + Thread.Bytes, component.Threads);
            Assert.InRange(component.Memory.Base, component.Thread(component.ThreadCount), component.Thread(component.ThreadCount) + Limits.PageBytes);
            Assert.Equal((0ul, Sk.QuotaPages * Limits.PageBytes), (component.Memory.Base % Limits.PageBytes, component.Memory.Bytes));
            end = component.Memory.Base + component.Memory.Bytes;
        }
    }

    [Fact]
    public void ConclavesStartAtTheirFirstCall()
    {
        Sk sk = Sk.Boot();
        Assert.Equal((ComponentState.Idle, 0ul), (sk.At(Sk.Hello).Life, sk.At(Sk.Hello).Memory.UsedFrames));
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        ref Component hello = ref sk.At(Sk.Hello);
        Assert.Equal(ComponentState.Running, hello.Life);
        PageEntry text = hello.Space.Lookup<FakeMachine>(Sk.EntryPoint);
        Assert.Equal((PageSource.Image, true, false), (text.Source, text.IsExecutable, text.IsWritable));
        PageEntry data = hello.Space.Lookup<FakeMachine>(Sk.EntryPoint + 0x2000);
        Assert.Equal((PageSource.Owned, false, true), (data.Source, data.IsExecutable, data.IsWritable));
        Assert.True(hello.Space.Lookup<FakeMachine>(UserLayout.StackTop - UserLayout.StackBytes - 0x1000).IsHole);
        StartInfo info = FakeMachine.At<StartInfo>(hello.Space.Translate<FakeMachine>(UserLayout.StartInfo, write: false));
        Assert.Equal((StartInfo.MagicValue, (uint)Sk.Hello, 0u, 0ul), (info.Magic, info.Component, info.ServiceCount, info.Services));
        Assert.Equal(hello.Memory.FreeFrames * Limits.PageBytes, info.QuotaBytes);
        StartInfo proxy = FakeMachine.At<StartInfo>(sk.At(Sk.Proxy).Space.Translate<FakeMachine>(UserLayout.StartInfo, write: false));
        Assert.Equal(3u, proxy.ServiceCount);
        Assert.NotEqual(info.Cookie, proxy.Cookie);
        Assert.Equal(2ul, FakeMachine.At<ServiceEntry>(sk.At(Sk.Proxy).Space.Translate<FakeMachine>(proxy.Services, write: false) + 192).UuidLow);
    }

    /// <summary>The log in place, read only, where the description says so and nowhere else.</summary>
    [Theory]
    [InlineData(ComponentFlags.Measurements)]
    [InlineData(ComponentFlags.None)]
    public void TheMeasurementLogIsMappedForWhoIsDeclaredToReadIt(ComponentFlags flags)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).Flags = flags;
        Sk.Info.MeasurementLog = Sk.LogPage;
        sk.Initialize();
        sk.State.Cpus[0].Booting = true;
        for (sk.Next(0); sk.Settle(0) == Step.Run;)
        {
            sk.Call(0, SecureCall.Receive);
        }

        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        for (ulong offset = 0; offset < MeasurementLog.Bytes; offset += Limits.PageBytes)
        {
            PageEntry entry = sk.At(Sk.Hello).Space.Lookup<FakeMachine>(UserLayout.Measurements + offset);
            Assert.Equal(flags == ComponentFlags.None, entry.IsHole);
            if (!entry.IsHole)
            {
                Assert.Equal((Sk.LogPage + offset, PageSource.Image, false, false), (entry.Frame, entry.Source, entry.IsWritable, entry.IsExecutable));
            }
        }

        Assert.True(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(UserLayout.Measurements + MeasurementLog.Bytes).IsHole);
        Assert.True(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(UserLayout.Measurements - Limits.PageBytes).IsHole);
        for (ulong call = 0; flags != ComponentFlags.None && call < 3; call++)
        {
            sk.AssertRuns(0, Sk.Hello);
            sk.Call(0, (SecureCall)((ulong)SecureCall.MapMemory + call), UserLayout.Measurements, 1, (ulong)(MemoryAccess.Read | MemoryAccess.Write));
            Assert.Equal(Status.BadAddress, sk.Result(Sk.Hello));
        }
    }

    [Theory]
    [InlineData(20ul)]
    [InlineData(10ul)]
    [InlineData(1ul)]
    [InlineData(0ul)]
    public void AConclaveWithoutMemoryToStartEndsAndItsCallersLearn(ulong pages)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).QuotaBytes = pages * Limits.PageBytes;
        sk.Initialize();
        sk.State.Cpus[0].Booting = true;
        for (sk.Next(0); sk.Settle(0) == Step.Run;)
        {
            sk.Call(0, SecureCall.Receive);
        }

        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.PeerDied), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status));
        Assert.Equal(ComponentState.Dead, sk.At(Sk.Hello).Life);
    }

    public static TheoryData<string, PanicCode> Mistakes => new()
    {
        { "boot magic", PanicCode.BadBootInfo },
        { "header magic", PanicCode.BadBootInfo },
        { "header version", PanicCode.BadBootInfo },
        { "no components", PanicCode.BadBootInfo },
        { "too many components", PanicCode.BadBootInfo },
        { "no proxy", PanicCode.BadBootInfo },
        { "two proxies", PanicCode.BadBootInfo },
        { "lazy proxy", PanicCode.BadBootInfo },
        { "downcall right elsewhere", PanicCode.BadBootInfo },
        { "endpoint of nobody", PanicCode.BadBootInfo },
        { "device in RAM", PanicCode.BadBootInfo },
        { "device unaligned", PanicCode.BadBootInfo },
        { "interrupt of a CPU's own", PanicCode.BadBootInfo },
        { "interrupt that no GIC has", PanicCode.BadBootInfo },
        { "slot 0", PanicCode.BadBootInfo },
        { "slot twice", PanicCode.BadBootInfo },
        { "unknown grant", PanicCode.BadBootInfo },
        { "service of the proxy", PanicCode.BadBootInfo },
        { "service of nobody", PanicCode.BadBootInfo },
        { "quota beyond the pool", PanicCode.PoolTooSmall },
        { "quota without end", PanicCode.PoolTooSmall },
        { "no untyped memory", PanicCode.PoolTooSmall },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void MistakesStopSkBeforeAnythingRuns(string mistake, PanicCode code)
    {
        Sk sk = Sk.Prepare();
        Make(mistake);
        Assert.Equal(code, Assert.Throws<PanicException>(sk.Initialize).Code);
    }

    private static void Make(string mistake)
    {
        ref GrantEntry grant = ref Sk.Entry(Sk.Hello).Grants[0];
        switch (mistake)
        {
            case "boot magic":
                Sk.Info.Magic++;
                break;
            case "header magic":
                Sk.Header.Magic = 0;
                break;
            case "header version":
                Sk.Header.Version++;
                break;
            case "no components":
                Sk.Header.ComponentCount = 0;
                break;
            case "too many components":
                Sk.Header.ComponentCount = Limits.Components + 1;
                break;
            case "no proxy":
                Sk.Entry(Sk.Proxy).Flags = ComponentFlags.Core;
                Sk.Entry(Sk.Proxy).GrantCount = 0;
                break;
            case "two proxies":
                Sk.Entry(Sk.Entropy).Flags = ComponentFlags.Core | ComponentFlags.Proxy;
                break;
            case "lazy proxy":
                Sk.Entry(Sk.Proxy).Flags = ComponentFlags.Proxy;
                break;
            case "downcall right elsewhere":
                grant.Kind = GrantKind.Downcall;
                break;
            case "endpoint of nobody":
                grant.Argument = Sk.Count;
                break;
            case "device in RAM":
                (grant.Kind, grant.Argument) = (GrantKind.Device, FakeMachine.LinuxBase);
                break;
            case "device unaligned":
                (grant.Kind, grant.Argument) = (GrantKind.Device, Virt.EntropyDevice + 8);
                break;
            case "interrupt of a CPU's own":
                (grant.Kind, grant.Argument) = (GrantKind.Interrupt, 31);
                break;
            case "interrupt that no GIC has":
                (grant.Kind, grant.Argument) = (GrantKind.Interrupt, 1020);
                break;
            case "slot 0":
                grant.Slot = 0;
                break;
            case "slot twice":
                grant.Slot = Sk.PeerSlot;
                break;
            case "unknown grant":
                grant.Kind = (GrantKind)99;
                break;
            case "service of the proxy":
                Sk.Service(1).Component = Sk.Proxy;
                break;
            case "service of nobody":
                Sk.Service(1).Component = Sk.Count;
                break;
            case "quota beyond the pool":
                Sk.Entry(Sk.Kit).QuotaBytes = FakeMachine.MemoryBytes;
                break;
            case "quota without end":
                Sk.Entry(Sk.Kit).QuotaBytes = ulong.MaxValue;
                break;
            case "no untyped memory":
                Sk.Info.UntypedBytes = 0;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(mistake), mistake, "unknown mistake");
        }
    }
}
