using System;
using System.Runtime.CompilerServices;
using System.Text;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>A booted SK with a small system: what a test drives by hand.</summary>
/// <remarks>XnuProxy 0, Entropy 1, Hello 2, Signer 3, Kit 4. Hello and Signer call each other (slot 3) and Entropy (slot 2). Hello and Kit take lent buffers.</remarks>
public sealed class Sk
{
    public const int Proxy = 0;
    public const int Entropy = 1;
    public const int Hello = 2;
    public const int Signer = 3;
    public const int Kit = 4;
    public const int Count = 5;
    public const uint HelloSlot = 2;
    public const uint SignerSlot = 3;
    public const uint KitSlot = 4;
    public const uint PeerSlot = 3;
    public const ulong QuotaPages = 56;
    public const ulong HelloBadge = 0xB002;
    public const ulong EntryPoint = UserLayout.ComponentBase;

    private const ulong InfoPage = FakeMachine.MemoryBase;
    private const ulong HeaderPage = InfoPage + 0x1000;
    private const ulong ServicesPage = InfoPage + 0x2000;
    private const ulong ComponentsPage = InfoPage + 0x3000;
    private const ulong ImagePage = InfoPage + 0x8000;

    /// <summary>The measurement log's pages.</summary>
    public const ulong LogPage = InfoPage + 0xC000;
    private const ulong UntypedBase = InfoPage + 0x1_0000;

    public KernelState State;

    /// <summary>What each CPU is to do next; <see cref="Step.Leave"/>: it is in Linux.</summary>
    public Step[] Steps { get; } = [Step.Leave, Step.Leave, Step.Leave, Step.Leave, Step.Leave, Step.Leave, Step.Leave, Step.Leave];

    public static ref BootInfo Info => ref FakeMachine.At<BootInfo>(InfoPage);
    public static ref ImageHeader Header => ref FakeMachine.At<ImageHeader>(HeaderPage);

    public static ref ComponentEntry Entry(int index) =>
        ref FakeMachine.At<ComponentEntry>(ComponentsPage + ((ulong)index * (ulong)Unsafe.SizeOf<ComponentEntry>()));

    public static ref ServiceEntry Service(int index) =>
        ref FakeMachine.At<ServiceEntry>(ServicesPage + ((ulong)index * (ulong)Unsafe.SizeOf<ServiceEntry>()));

    /// <summary>Tables as SPTM and the image tool make them; nothing has run.</summary>
    public static Sk Prepare(int memoryBytes = FakeMachine.MemoryBytes)
    {
        FakeMachine.Reset(memoryBytes);
        Info = new BootInfo
        {
            Magic = BootInfo.MagicValue,
            ImageHeader = HeaderPage,
            UntypedBase = UntypedBase,
            UntypedBytes = FakeMachine.MemoryBase + (ulong)memoryBytes - UntypedBase,
            RamBase = FakeMachine.LinuxBase,
            RamBytes = FakeMachine.LinuxBytes,
            CpuCount = 4,
            Seed1 = 0x1357_9BDF_0246_8ACE,
            MeasurementLog = LogPage,
        };
        FakeMachine.At<MeasurementLog>(LogPage).Signer = SignerKind.Debug;
        Header = new ImageHeader
        {
            Magic = ImageHeader.MagicValue,
            Version = ImageHeader.CurrentVersion,
            ComponentCount = Count,
            ServiceCount = 3,
            Components = ComponentsPage,
            Services = ServicesPage,
        };
        for (int i = 0; i < Count; i++)
        {
            ref ComponentEntry entry = ref Entry(i);
            Encoding.ASCII.GetBytes($"component{i}").CopyTo(entry.Name);
            entry.Kind = ComponentKind.Freestanding;
            entry.QuotaBytes = QuotaPages * Limits.PageBytes;
            entry.Entry = EntryPoint;
            entry.SegmentCount = 2;
            entry.Segments[0] = new SegmentEntry
            {
                VirtualBase = EntryPoint,
                PhysicalBase = ImagePage,
                FileBytes = 0x1000,
                MemoryBytes = 0x1000,
                Access = MemoryAccess.Read | MemoryAccess.Execute,
            };
            entry.Segments[1] = new SegmentEntry
            {
                VirtualBase = EntryPoint + 0x1000,
                PhysicalBase = ImagePage + 0x1000,
                FileBytes = 0x800,
                MemoryBytes = 0x2000,
                Access = MemoryAccess.Read | MemoryAccess.Write,
            };
        }

        Entry(Proxy).Flags = ComponentFlags.Core | ComponentFlags.Proxy;
        Entry(Entropy).Flags = ComponentFlags.Core;
        Entry(Hello).Flags = ComponentFlags.LentBuffers;
        Entry(Kit).Flags = ComponentFlags.LentBuffers;
        Grant(Proxy, GrantKind.Endpoint, HelloSlot, Hello, HelloBadge);
        Grant(Proxy, GrantKind.Endpoint, SignerSlot, Signer, 0xB003);
        Grant(Proxy, GrantKind.Endpoint, KitSlot, Kit, 0xB004);
        Grant(Proxy, GrantKind.Downcall, 5, 0, 0);
        Grant(Proxy, GrantKind.Counters, 6, 0, 0);
        Grant(Hello, GrantKind.Endpoint, 2, Entropy, 0xE2);
        Grant(Hello, GrantKind.Endpoint, PeerSlot, Signer, 0xE3);
        Grant(Signer, GrantKind.Endpoint, 2, Entropy, 0xE4);
        Grant(Signer, GrantKind.Endpoint, PeerSlot, Hello, 0xE5);
        Grant(Kit, GrantKind.Endpoint, 2, Entropy, 0xE6);
        Grant(Kit, GrantKind.Endpoint, PeerSlot, Hello, 0xE7);
        for (int i = 0; i < 3; i++)
        {
            Service(i) = new ServiceEntry { UuidLow = (ulong)i, Component = (uint)(Hello + i), ProxySlot = (uint)(HelloSlot + i) };
        }

        return new Sk();
    }

    /// <summary>Booted: the core components wait for their first message.</summary>
    public static Sk Boot() => BootPrepared(Prepare());

    public static Sk BootPrepared(Sk sk)
    {
        sk.Initialize();
        ref Cpu cpu = ref sk.State.Cpus[0];
        cpu.Booting = true;
        Step step = Step.Again;
        for (int i = 0; step != Step.Leave; i++)
        {
            Assert.True(i < 100, "boot does not end");
            step = step == Step.Run ? sk.Call(0, SecureCall.Receive) : Dispatcher<FakeMachine>.Next(ref sk.State, ref cpu);
        }

        Assert.Equal((ThreadState.Receiving, ThreadState.Receiving), (sk.On(Proxy).State, sk.On(Entropy).State));
        return sk;
    }

    public void Initialize() => Boot<FakeMachine>.Initialize(ref State, InfoPage);

    public ref Component At(int component) => ref State.Components[component];

    /// <summary>A component's thread.</summary>
    public ref Thread On(int component, uint thread = 0) => ref FakeMachine.At<Thread>(At(component).Thread(thread));

    /// <summary>The thread that a CPU runs, or ran last.</summary>
    public ref Thread OnCpu(int cpu) => ref FakeMachine.At<Thread>(State.Cpus[cpu].Thread);

    public ref Endpoint EndpointOf(int component) => ref FakeMachine.At<Endpoint>(At(component).Endpoint);

    public ref MessageHeader Message(int component, uint thread = 0) => ref FakeMachine.At<MessageHeader>(On(component, thread).IpcPage);

    public Span<byte> Body(int component, uint thread = 0) => FakeMachine.Machine.Memory.AsSpan((int)(On(component, thread).IpcPage - FakeMachine.MemoryBase) + MessageHeader.Bytes, MessageHeader.MaxBodyBytes);

    private const ulong MaximumWork = 5000;

    /// <summary>Linux calls on a CPU that is there.</summary>
    public Step Enter(int cpu, ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0)
    {
        Assert.Equal(Step.Leave, Steps[cpu]);
        ref Cpu target = ref State.Cpus[cpu];
        FakeMachine.Machine.BeginStep();
        Step step = Downcalls<FakeMachine>.Enter(ref State, ref target, x0, x1, x2, x3);
        return Steps[cpu] = Metered(step == Step.Again ? Dispatcher<FakeMachine>.Next(ref State, ref target) : step);
    }

    public Step Next(int cpu)
    {
        FakeMachine.Machine.BeginStep();
        return Steps[cpu] = Metered(Dispatcher<FakeMachine>.Next(ref State, ref State.Cpus[cpu]));
    }

    /// <summary>No step of SK lets an interrupt wait for long (I6): with SK's lock wanted by four CPUs, the last has it after 20,000 instructions.</summary>
    private static Step Metered(Step step)
    {
        Assert.InRange(Math.Max(FakeMachine.Machine.LongestWork, FakeMachine.Machine.Work), 0ul, MaximumWork);
        return step;
    }

    /// <summary>The thread on a CPU makes a system call.</summary>
    public Step Call(int cpu, SecureCall call, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, ulong x4 = 0)
    {
        ref UserContext context = ref OnCpu(cpu).Context;
        context.X[8] = (ulong)call;
        context.X[0] = x0;
        context.X[1] = x1;
        context.X[2] = x2;
        context.X[3] = x3;
        context.X[4] = x4;
        return Fault(cpu, 0x15, 1);
    }

    /// <summary>A call that works in chunks, to its end: EL0 executes it again as long as SK says so.</summary>
    public Step Complete(int cpu, SecureCall call, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, ulong x4 = 0)
    {
        ref UserContext context = ref OnCpu(cpu).Context;
        ulong next = context.ProgramCounter;
        Call(cpu, call, x0, x1, x2, x3, x4);
        for (int i = 0; context.ProgramCounter == next - 4; i++)
        {
            Assert.True(i < 100_000, "does not end");
            context.ProgramCounter = next;
            Fault(cpu, 0x15, 1);
        }

        return Steps[cpu];
    }

    public Step Fault(int cpu, ulong exceptionClass, ulong rest = 0)
    {
        OnCpu(cpu).Context.Syndrome = (exceptionClass << 26) | rest;
        FakeMachine.Machine.BeginStep();
        return Steps[cpu] = Metered(Dispatcher<FakeMachine>.Returned(ref State, ref State.Cpus[cpu], Trap.Synchronous));
    }

    public Step Interrupt(int cpu) => Steps[cpu] = Dispatcher<FakeMachine>.Returned(ref State, ref State.Cpus[cpu], Trap.Interrupt);

    /// <summary>Goes on until EL0 runs or Linux does.</summary>
    public Step Settle(int cpu)
    {
        for (int i = 0; Steps[cpu] is Step.Again or Step.Pause; i++)
        {
            Assert.True(i < 1000, "does not settle");
            Next(cpu);
        }

        return Steps[cpu];
    }

    /// <summary>The CPU runs this component's thread.</summary>
    public void AssertRuns(int cpu, int component)
    {
        Assert.Equal(Step.Run, Settle(cpu));
        Assert.Equal(component, OnCpu(cpu).Component);
        Assert.Equal((ThreadState.Running, cpu), (OnCpu(cpu).State, OnCpu(cpu).Cpu));
    }

    public (ulong X0, ulong X1, ulong X2, ulong X3) Answer(int cpu)
    {
        Assert.Equal(Step.Leave, Settle(cpu));
        ref Cpu left = ref State.Cpus[cpu];
        Assert.Equal(0, left.Downcall);
        return (left.X0, left.X1, left.X2, left.X3);
    }

    public Status Result(int component, uint thread = 0) => (Status)On(component, thread).Context.X[0];

    /// <summary>Linux calls; XnuProxy hands the call to a service, which runs on the CPU then. Answers XnuProxy's id of the downcall.</summary>
    public ulong Forward(int cpu, uint slot, int service, ulong nonce = 1, ulong rpcArgument = 0)
    {
        Enter(cpu, Tee.CallWithRegdArg, nonce);
        AssertRuns(cpu, Proxy);
        ulong downcall = Message(Proxy).Downcall;
        Message(Proxy).Label = MessageLabel.Invoke;
        Message(Proxy).Length = 16;
        Call(cpu, SecureCall.ForwardReceive, slot, rpcArgument);
        if (Settle(cpu) == Step.Run && On(service).Context.ProgramCounter == EntryPoint && On(service).Serving.Kind == ServingKind.Nobody)
        {
            Call(cpu, SecureCall.Receive);
        }

        AssertRuns(cpu, service);
        Assert.Equal(MessageLabel.Invoke, Message(service).Label);
        return downcall;
    }

    /// <summary>Pages of Linux in XnuProxy's window, as if it had shared them.</summary>
    public void Share(ulong window, ulong frame, uint pages)
    {
        for (uint i = 0; i < pages; i++)
        {
            Assert.True(FakeMachine.Share(frame + (i * Limits.PageBytes)));
            PageEntry entry = PageEntry.Create(frame + (i * Limits.PageBytes), PageAccess.ReadWrite, PageSource.Shared);
            Assert.Equal(Status.Ok, At(Proxy).Space.Map<FakeMachine>(ref At(Proxy).Memory, window + (i * Limits.PageBytes), entry));
            State.Counters[(int)SkCounter.SharedMappings]++;
        }
    }

    public uint FreeDowncallCount()
    {
        uint count = 0;
        for (ulong at = State.FreeDowncalls; at != 0; at = State.Downcalls[(int)at - 1].Next)
        {
            count++;
            Assert.True(count <= Limits.Downcalls);
        }

        return count;
    }

    public static void Grant(int component, GrantKind kind, uint slot, ulong argument, ulong badge)
    {
        ref ComponentEntry entry = ref Entry(component);
        entry.Grants[(int)entry.GrantCount++] = new GrantEntry { Kind = kind, Slot = slot, Argument = argument, Badge = badge };
    }
}
