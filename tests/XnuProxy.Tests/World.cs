using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy.Tests;

/// <summary>Linux's memory, its driver's habits, and SK's part in a downcall. Any access outside what is mapped throws.</summary>
public sealed class World
{
    public const ulong Ram = Virt.RamBase;
    public const ulong RamBytes = 0x1_0000_0000;
    public const ulong ArgumentPage = Ram + 0x10_0000;
    public const ulong ListPage = Ram + 0x20_0000;
    public const ulong CallPage = Ram + 0x30_0000;
    public const ulong BufferPage = Ram + 0x40_0000;
    public const ulong CallCookie = 0xFFFF_0000_1234_5000;
    public const ulong BufferCookie = 0xFFFF_0000_8888_0000;
    public const uint ProxySlot = 5;

    private readonly byte[] _ipc = new byte[4096];
    private readonly byte[] _scratch = new byte[4096];
    private readonly Dictionary<ulong, byte[]> _linux = [];
    private ulong _generation;

    public ProxyState State;
    public bool IsServiceDead;

    /// <summary>Which life of the service's component this is, and whether there can be another.</summary>
    public ulong Life = 1;
    public bool CanRestart;

    /// <summary>Other than Ok: what SK says to whoever forwards.</summary>
    public Status ForwardAnswer;

    /// <summary>The slot that <see cref="ForwardAnswer"/> is for; none: all.</summary>
    public uint? RefusedSlot;
    public Ending LastEnding;
    public (ulong Downcall, ulong X0)? Suspended;
    public Status SuspendAnswer;
    public Func<ulong, ulong, Status>? DonateAnswer;

    /// <summary>Other than Ok: what SK says to whoever wants to unmap pages.</summary>
    public Status UnmapAnswer;

    /// <summary>Runs after each read of memory that Linux can change: the other Linux thread.</summary>
    public Action? AfterRead;

    /// <summary>XnuProxy stops for good at this many touches of Linux's memory or calls of SK from now on; 0: never.</summary>
    public int StopsAfter;
    public bool WasStopped;

    /// <summary>What stops it.</summary>
    public sealed class StoppedException : Exception;

    /// <summary>Pages that SPTM does not lend.</summary>
    public HashSet<ulong> Refused { get; } = [];

    /// <summary>The shared window: VA of a page to its PA.</summary>
    public Dictionary<ulong, ulong> Window { get; } = [];

    /// <summary>Runs that SK holds: pages and component, by address.</summary>
    public Dictionary<ulong, (ulong Pages, ulong Component)> Donated { get; } = [];

    /// <summary>Runs that are back and that nobody has collected.</summary>
    public Queue<ulong> Returned { get; } = new();

    /// <summary>Names of allocations that Linux was asked to free, in order.</summary>
    public List<ulong> Freed { get; } = [];

    /// <summary>Every byte of Linux that was written, by PA.</summary>
    public HashSet<ulong> Written { get; } = [];
    public ServiceEntry[] Services { get; } =
    [
        new() { UuidLow = Abi.Services.HelloLow, UuidHigh = Abi.Services.HelloHigh, Component = 2, ProxySlot = ProxySlot, OnBus = 1 },
        new() { UuidLow = Abi.Services.SignerLow, UuidHigh = Abi.Services.SignerHigh, Component = 3, ProxySlot = ProxySlot + 1, OnBus = 1 },
        new() { UuidLow = 1, UuidHigh = 2, Component = 3, ProxySlot = ProxySlot + 2 },
    ];

    public ref MessageHeader Message => ref MemoryMarshal.AsRef<MessageHeader>(_ipc.AsSpan());
    public Span<byte> Body => _ipc.AsSpan(MessageHeader.Bytes);
    public Span<byte> Scratch => _scratch;
    public ref ServiceMessage ServiceBody => ref MemoryMarshal.AsRef<ServiceMessage>(Body);

    /// <summary>Sessions, registrations, requests: what must be zero when everybody is gone.</summary>
    public (int Sessions, int Registrations, int Requests, int Pages) Counts =>
        (State.Sessions.Count, State.Registrations.Count, State.RequestCount, Window.Count);

    public static World Create()
    {
        World world = new();
        world.State.Initialize(0x1234_5678_9ABC_DEF1, 3);
        FakeSystem.World = world;
        return world;
    }

    /// <summary>A world where the driver has its call buffer and a client's buffer of two pages, at an offset.</summary>
    public static World Ready()
    {
        World world = Create();
        Xunit.Assert.Equal(Tee.Success, world.Register(CallCookie, [CallPage], 0, 4096));
        Xunit.Assert.Equal(Tee.Success, world.Register(BufferCookie, [BufferPage, BufferPage + 0x1_0000], 0x100, 6000));
        world.Written.Clear();
        return world;
    }

    public Span<byte> Linux(ulong address, int bytes)
    {
        ulong page = address & ~0xFFFul;
        if (!_linux.TryGetValue(page, out byte[]? data))
        {
            data = new byte[4096];
            _linux[page] = data;
        }

        return data.AsSpan((int)(address & 0xFFF), bytes);
    }

    public T Get<T>(ulong address) where T : struct => MemoryMarshal.Read<T>(Linux(address, Unsafe.SizeOf<T>()));

    public void Put<T>(ulong address, T value) where T : struct => MemoryMarshal.Write(Linux(address, Unsafe.SizeOf<T>()), in value);

    public Status End(Ending ending)
    {
        LastEnding = ending;
        return Status.Ok;
    }

    public Status Suspend(ulong downcall, ulong x0, ulong x1, ulong x2)
    {
        if (SuspendAnswer == Status.Ok)
        {
            Suspended = (downcall, x0);
            if (x0 == Tee.RpcFree)
            {
                Xunit.Assert.True(x1 >> 32 == 0 && x2 >> 32 == 0);
                Freed.Add((x1 << 32) | x2);
            }
        }

        return SuspendAnswer;
    }

    private void Step()
    {
        if (StopsAfter != 0 && --StopsAfter == 0)
        {
            WasStopped = true;
            throw new StoppedException();
        }
    }

    /// <summary>SK's answer to a donation; what it takes it holds until it is returned.</summary>
    public Status Donate(ulong address, ulong pages, ulong component)
    {
        Status status = DonateAnswer?.Invoke(address, pages) ?? Status.Ok;
        if (status == Status.Ok)
        {
            Donated.Add(address, (pages, component));
        }
        else if (status == Status.Busy)
        {
            Returned.Enqueue(address);
        }

        return status;
    }

    public Status ReturnDonated(ulong component)
    {
        foreach ((ulong address, (_, ulong owner)) in Donated)
        {
            if (component == SecureCallArguments.Everybody || component == owner)
            {
                Donated.Remove(address);
                Returned.Enqueue(address);
            }
        }

        return Status.Ok;
    }

    /// <summary>Components that are short of memory.</summary>
    public Queue<(ulong Component, ulong Pages)> Wishes { get; } = [];

    public Status TakeWish(out ulong component, out ulong pages)
    {
        bool any = Wishes.TryDequeue(out (ulong Component, ulong Pages) wish);
        (component, pages) = wish;
        return any ? Status.Ok : Status.NotFound;
    }

    public Status CollectDonated(out ulong address) => Returned.TryDequeue(out address) ? Status.Ok : Status.NotFound;

    public Status LinuxRead(ulong linux, int bytes)
    {
        Step();
        Xunit.Assert.True((linux & 0xFFF) + (ulong)bytes <= 4096);
        if (linux < Ram || linux >= Ram + RamBytes || Refused.Contains(linux & ~0xFFFul))
        {
            return Status.Denied;
        }

        Linux(linux, bytes).CopyTo(_scratch);
        AfterRead?.Invoke();
        return Status.Ok;
    }

    public Status LinuxWrite(ulong linux, int bytes)
    {
        Step();
        Xunit.Assert.True((linux & 0xFFF) + (ulong)bytes <= 4096);
        if (Refused.Contains(linux & ~0xFFFul))
        {
            return Status.Denied;
        }

        _scratch.AsSpan(0, bytes).CopyTo(Linux(linux, bytes));
        Note(linux, bytes);
        return Status.Ok;
    }

    public Status ShareMap(int entry, int count, ulong window)
    {
        Xunit.Assert.InRange(count, 1, (int)SecureCallArguments.SharePages);
        Xunit.Assert.InRange(entry, 0, 511 - count);
        Xunit.Assert.InRange(window, UserLayout.SharedBase, UserLayout.SharedEnd - ((ulong)count * 4096));
        for (int i = 0; i < count; i++)
        {
            ulong page = MemoryMarshal.Cast<byte, ulong>(_scratch)[entry + i];
            ulong at = window + ((ulong)i * 4096);
            if ((page & 0xFFF) != 0 || page < Ram || page >= Ram + RamBytes || Refused.Contains(page))
            {
                for (int undo = 0; undo < i; undo++)
                {
                    Window.Remove(window + ((ulong)undo * 4096));
                }

                return Refused.Contains(page) ? Status.Denied : Status.BadAddress;
            }

            Window.Add(at, page);
        }

        Step();
        return Status.Ok;
    }

    public Status ShareUnmap(ulong window, ulong pages)
    {
        if (UnmapAnswer != Status.Ok)
        {
            return UnmapAnswer;
        }

        for (ulong i = 0; i < pages; i++)
        {
            bool wasMapped = Window.Remove(window + (i * 4096));
            Xunit.Assert.True(wasMapped || WasStopped, "unmaps what was never mapped");
        }

        Step();
        return Status.Ok;
    }

    public void CopyIn(Span<byte> to, ulong shared)
    {
        Step();
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = Linux(Physical(shared + (ulong)i), 1)[0];
        }

        AfterRead?.Invoke();
    }

    public void CopyOut(ulong shared, ReadOnlySpan<byte> from)
    {
        Step();
        for (int i = 0; i < from.Length; i++)
        {
            ulong at = Physical(shared + (ulong)i);
            Linux(at, 1)[0] = from[i];
            Note(at, 1);
        }
    }

    /// <summary>One message to XnuProxy, as SK writes it.</summary>
    public Decision Send(MessageLabel label, ulong downcall, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, Status status = Status.Ok)
    {
        ref MessageHeader message = ref Message;
        if (label == MessageLabel.Downcall)
        {
            message = default;
        }

        message.Label = label;
        message.Downcall = downcall;
        message.Badge = label == MessageLabel.Completion ? Life : message.Badge;
        message.Status = status;
        message.Word0 = x0;
        message.Word1 = x1;
        message.Word2 = x2;
        message.Word3 = x3;
        return Proxy<FakeSystem>.Handle(ref State, Services);
    }

    public ulong NewDowncall(int index = 0) => (++_generation << 16) | (uint)index;

    /// <summary>CALL_WITH_RPC_ARG: what the driver does to register and unregister.</summary>
    public Decision CallUnregistered(ulong argument) =>
        Send(MessageLabel.Downcall, NewDowncall(), Tee.CallWithRpcArg, argument >> 32, (uint)argument, 0);

    /// <summary>CALL_WITH_REGD_ARG: everything else.</summary>
    public Decision CallRegistered(ulong offset = 0, ulong cookie = CallCookie, int index = 0) =>
        Send(MessageLabel.Downcall, NewDowncall(index), Tee.CallWithRegdArg, cookie >> 32, (uint)cookie, offset);

    public void WriteArgument(ulong at, MessageCommand command, uint function, uint session, params ReadOnlySpan<MessageParameter> parameters)
    {
        Put(at, new MessageArgument
        {
            Command = command,
            Function = function,
            Session = session,
            Result = 0xDEAD_0001,
            Origin = 0xDEAD_0002,
            ParameterCount = (uint)parameters.Length,
        });
        for (int i = 0; i < parameters.Length; i++)
        {
            Put(at + MessageArgument.Bytes + ((ulong)i * MessageParameter.Bytes), parameters[i]);
        }
    }

    public MessageParameter ParameterAt(ulong argument, int index) =>
        Get<MessageParameter>(argument + MessageArgument.Bytes + ((ulong)index * MessageParameter.Bytes));

    /// <summary>Page lists as the driver makes them: 511 pages, then the next list.</summary>
    public void WriteList(ulong list, ReadOnlySpan<ulong> pages)
    {
        for (int i = 0; i < pages.Length; i++)
        {
            ulong at = list + ((ulong)(i / 511) * 4096);
            Put(at + ((ulong)(i % 511) * 8), pages[i]);
            if (i % 511 == 510)
            {
                Put(at + (511 * 8), at + 4096);
            }
        }
    }

    public uint Register(ulong cookie, ReadOnlySpan<ulong> pages, ulong offset, ulong bytes)
    {
        WriteList(ListPage, pages);
        return Register(new MessageParameter
        {
            Attribute = MessageParameter.TemporaryOutput | MessageParameter.NonContiguous,
            A = ListPage | offset,
            B = bytes,
            C = cookie,
        });
    }

    public uint Register(MessageParameter parameter) => Unregistered(MessageCommand.RegisterShm, parameter);

    public uint Unregister(ulong cookie) =>
        Unregistered(MessageCommand.UnregisterShm, new MessageParameter { Attribute = MessageParameter.RegisteredInput, C = cookie });

    public uint Unregistered(MessageCommand command, MessageParameter parameter)
    {
        WriteArgument(ArgumentPage, command, 0, 0, parameter);
        Decision decision = CallUnregistered(ArgumentPage);
        Xunit.Assert.Equal((Ending.Finish, Tee.ReturnOk), (decision.Ending, decision.X0));
        return Get<MessageArgument>(ArgumentPage).Result;
    }

    public static MessageParameter[] OpenParameters(ulong low, ulong high) =>
    [
        new() { Attribute = MessageParameter.Meta | MessageParameter.ValueInput, A = low, B = high },
        new() { Attribute = MessageParameter.Meta | MessageParameter.ValueInput, A = 0x11, B = 0x22, C = 1 },
    ];

    /// <summary>Opens a session; a service that is asked says yes.</summary>
    public uint Open(ulong low = Abi.Services.HelloLow, ulong high = Abi.Services.HelloHigh)
    {
        WriteArgument(CallPage, MessageCommand.OpenSession, 0, 0, OpenParameters(low, high));
        Decision decision = CallRegistered();
        if (decision.Ending == Ending.Forward)
        {
            decision = Complete(decision.Downcall, Tee.Success);
        }

        MessageArgument answer = Get<MessageArgument>(CallPage);
        Xunit.Assert.Equal((Ending.Finish, Tee.ReturnOk, Tee.Success), (decision.Ending, decision.X0, answer.Result));
        return answer.Session;
    }

    public uint Close(uint session)
    {
        WriteArgument(CallPage, MessageCommand.CloseSession, 0, session);
        Decision decision = CallRegistered();
        if (decision.Ending == Ending.Forward)
        {
            Complete(decision.Downcall, Tee.Success);
        }

        return Get<MessageArgument>(CallPage).Result;
    }

    /// <summary>Downcalls that lend their time, until the test says what became of it.</summary>
    public List<ulong> Lenders { get; } = [];

    public Status LendTime(ulong downcall)
    {
        if (Lenders.Count != 0)
        {
            return Status.BadState;
        }

        Lenders.Add(downcall);
        return Status.Ok;
    }

    public Status Restart(uint component)
    {
        Xunit.Assert.Equal(2u, component);
        if (!CanRestart || !IsServiceDead)
        {
            return Status.BadState;
        }

        IsServiceDead = false;
        Life++;
        return Status.Ok;
    }

    /// <summary>The service answers what lies in the body by now.</summary>
    public Decision Complete(ulong downcall, uint result, uint length = MessageHeader.MaxBodyBytes, Status status = Status.Ok)
    {
        ServiceBody.Result = result;
        Message.Length = length;
        return Send(MessageLabel.Completion, downcall, status: status);
    }

    private ulong Physical(ulong shared) =>
        Window.TryGetValue(shared & ~0xFFFul, out ulong page)
            ? page | (shared & 0xFFF)
            : throw new InvalidOperationException($"access to {shared:x}, which is not mapped");

    private void Note(ulong address, int bytes)
    {
        for (int i = 0; i < bytes; i++)
        {
            Written.Add(address + (ulong)i);
        }
    }
}
