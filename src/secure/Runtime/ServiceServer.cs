using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Runtime;

/// <summary>What a service does with a call. Each method answers a GlobalPlatform result code.</summary>
public interface IService
{
    static abstract uint Open(ref ServiceMessage message);
    static abstract uint Invoke(ref ServiceMessage message);
    static abstract uint Close(ref ServiceMessage message);
}

/// <summary>What a service does for other components.</summary>
public interface IPeerService
{
    /// <param name="badge">Who asks: the badge of the capability that the system description grants.</param>
    /// <returns>Bytes of the answer; 0 refuses.</returns>
    static abstract int Serve(ulong badge, scoped ReadOnlySpan<byte> request, scoped Span<byte> response);
}

/// <summary>Of a service that Linux's clients alone call.</summary>
public readonly struct NoPeers : IPeerService
{
    public static int Serve(ulong badge, scoped ReadOnlySpan<byte> request, scoped Span<byte> response) => 0;
}

/// <summary>Receives, dispatches, answers, for ever. Several threads of a component may; the service's own state is the service's to guard then.</summary>
public static class ServiceServer
{
    public static void Run<TService>() where TService : struct, IService => Run<TService, NoPeers>();

    public static void Run<TService, TPeers>()
        where TService : struct, IService
        where TPeers : struct, IPeerService
    {
        IpcPage page = IpcPage.Own;
        Status status = SecureCalls.Receive();
        while (true)
        {
            if (status == Status.Ok)
            {
                Serve<TService, TPeers>(page);
            }

            status = page.Header.Label == MessageLabel.None ? SecureCalls.Receive() : SecureCalls.ReplyReceive();
        }
    }

    /// <summary>The caller has its answer now, and the service works on, on time that Linux lends and on that of calls which need this thread. For within Invoke.</summary>
    public static Status Answer(ref ServiceMessage message, uint result)
    {
        IpcPage page = IpcPage.Own;
        message.Result = result;
        page.SetReply(Status.Ok, AnswerLength(ref message));
        Status status = SecureCalls.Reply();

        // Nothing is owed any more.
        page.Header.Label = MessageLabel.None;
        return status;
    }

    /// <summary>The contents of a buffer parameter: what came in, or the room for what goes out.</summary>
    public static Span<byte> Buffer(scoped ref ServiceParameter parameter) =>
        parameter.C != 0 ? default : IpcPage.Own.Body.Slice((int)parameter.Offset, (int)parameter.A);

    /// <summary>Linux's clock, by an upcall.</summary>
    public static Status GetTime(out ulong seconds, out ulong nanoseconds)
    {
        Status status = Ask(Rpc.GetTime, 0, out UpcallMessage answer);
        seconds = status == Status.Ok ? answer.P0.A : 0;
        nanoseconds = status == Status.Ok ? answer.P0.B : 0;
        return status;
    }

    /// <summary>Linux's thread of this call sleeps; the thread that serves it waits.</summary>
    public static Status Sleep(ulong milliseconds) => Ask(Rpc.Suspend, milliseconds, out _);

    /// <summary>Linux gives memory for this component's own mappings, within its declared quota; a multiple of 4 KiB, at most <see cref="Rpc.MaxMemoryBytes"/>.</summary>
    public static Status RequestMemory(ulong bytes) => Ask(Rpc.AllocateMemory, bytes, out _);

    /// <summary>Runs of such memory that are not mapped any more go back.</summary>
    public static Status ReturnMemory() => Ask(Rpc.FreeMemory, 0, out _);

    /// <summary>One upcall; the service's message is kept meanwhile.</summary>
    private static Status Ask(uint command, ulong value, out UpcallMessage answer)
    {
        IpcPage page = IpcPage.Own;
        ServiceMessage kept = page.Service;
        MessageHeader header = page.Header;
        ref UpcallMessage upcall = ref MemoryMarshal.AsRef<UpcallMessage>(page.Body);
        upcall = default;
        upcall.Command = command;
        upcall.P0.Kind = command == Rpc.GetTime ? ParameterKind.ValueOut : ParameterKind.ValueIn;
        upcall.P0.A = value;
        page.Header.Label = MessageLabel.Upcall;
        page.Header.Length = (uint)Unsafe.SizeOf<UpcallMessage>();
        Status status = SecureCalls.CallEndpoint(ComponentEntry.UpcallSlot);
        status = status == Status.Ok ? page.Header.Status : status;
        answer = upcall;
        page.Service = kept;
        page.Header = header;
        return status == Status.Ok && answer.Result != Tee.Success ? Status.BadReply : status;
    }

    /// <summary>Serves the message in a page, whose answer lies there then. For a component whose loop is its own.</summary>
    public static void Serve<TService>(IpcPage page) where TService : struct, IService => Serve<TService, NoPeers>(page);

    private static void Serve<TService, TPeers>(IpcPage page)
        where TService : struct, IService
        where TPeers : struct, IPeerService
    {
        uint length = page.Header.Length;
        if (page.Header.Badge != ComponentEntry.ProxyBadge)
        {
            ServePeer<TPeers>(page, (int)Math.Min(length, MessageHeader.MaxBodyBytes));
            return;
        }

        if (length < (uint)Unsafe.SizeOf<ServiceMessage>())
        {
            page.SetReply(Status.BadArgument, 0);
            return;
        }

        ref ServiceMessage message = ref page.Service;
        uint result = page.Header.Label switch
        {
            MessageLabel.Open => TService.Open(ref message),
            MessageLabel.Invoke => TService.Invoke(ref message),
            MessageLabel.Close => TService.Close(ref message),
            _ => Tee.ErrorNotSupported,
        };
        if (page.Header.Label == MessageLabel.None)
        {
            return;
        }

        message.Result = result;
        page.SetReply(Status.Ok, AnswerLength(ref message));
    }

    /// <summary>The answer grows behind the request and moves to where that was.</summary>
    private static void ServePeer<TPeers>(IpcPage page, int length) where TPeers : struct, IPeerService
    {
        const int Alignment = 8;
        Span<byte> response = page.Body.Slice(Math.Min(length + Alignment - 1 & ~(Alignment - 1), MessageHeader.MaxBodyBytes));
        int bytes = page.Header.Label == MessageLabel.Peer ? TPeers.Serve(page.Header.Badge, page.Body.Slice(0, length), response) : 0;
        response.Slice(0, bytes).CopyTo(page.Body);
        page.SetReply(bytes != 0 ? Status.Ok : Status.BadCall, (uint)bytes);
    }

    /// <summary>The answer ends behind the last buffer that carries something back.</summary>
    private static uint AnswerLength(ref ServiceMessage message)
    {
        uint end = (uint)Unsafe.SizeOf<ServiceMessage>();
        Span<ServiceParameter> parameters = MemoryMarshal.CreateSpan(ref message.P0, ServiceMessage.MaxParameters);
        for (int i = 0; i < parameters.Length; i++)
        {
            ref ServiceParameter parameter = ref parameters[i];
            if (parameter.Kind is ParameterKind.BufferOut or ParameterKind.BufferInOut && parameter.C == 0
                && parameter.A <= MessageHeader.MaxBodyBytes - parameter.Offset)
            {
                end = Math.Max(end, parameter.Offset + (uint)parameter.A);
            }
        }

        return end;
    }
}
