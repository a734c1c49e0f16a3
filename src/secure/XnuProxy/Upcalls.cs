using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>What services may ask of Linux, through the RPC argument that follows the call's own (tee-abi 1.10).</summary>
public static class Upcalls<TSystem> where TSystem : struct, IProxySystem
{
    private const ulong MaxSuspendMilliseconds = 10_000;
    private const ulong NanosecondsPerSecond = 1_000_000_000;
    private const int ArgumentBytes = MessageArgument.Bytes + MessageParameter.Bytes;

    /// <summary>A service that serves <paramref name="downcall"/> asks; it waits until Linux is back.</summary>
    public static Decision Begin(ref ProxyState state, ulong downcall)
    {
        if (TSystem.Message.Length < (uint)Unsafe.SizeOf<UpcallMessage>())
        {
            return Refuse(Status.BadArgument);
        }

        UpcallMessage asked = MemoryMarshal.AsRef<UpcallMessage>(TSystem.Body);
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF) % Request.Capacity];
        if (downcall == 0 || request.Downcall != downcall || request.Upcall != 0)
        {
            return Refuse(Status.BadState);
        }

        if (!IsAllowed(in asked))
        {
            return Refuse(Status.Denied);
        }

        if (asked.Command == Rpc.FreeMemory)
        {
            Memory<TSystem>.GiveBack(ref state, TSystem.Message.Badge - 1);
            return Reply(Status.Ok, 0);
        }

        request.Value = asked.P0.A;
        request.Component = TSystem.Message.Badge - 1;
        request.Attempt = 0;
        Status status = Send(ref state, ref request, downcall, asked.Command);
        return status == Status.Ok ? Decision.Receive : Refuse(status);
    }

    /// <summary>Linux is back: its answer is copied once, judged, and given to the service that waits.</summary>
    public static Decision Return(ref ProxyState state, ulong downcall)
    {
        ref Request request = ref state.Requests[(int)(downcall & 0xFFFF) % Request.Capacity];
        if (request.Downcall != downcall || request.Upcall == 0)
        {
            return Refuse(Status.BadState);
        }

        uint command = request.Upcall;
        request.Upcall = 0;
        if (command == Request.Freeing)
        {
            request.Downcall = 0;
            return Decision.Finish(downcall, request.Answer);
        }

        if (request.Command == MessageCommand.DoBottomHalf && !request.Fetches)
        {
            // What the sleep answers is of no interest.
            return Calls<TSystem>.LendTime(ref state, ref request);
        }

        state.Allocations.Reserved -= command == Rpc.AllocateMemory ? 1 : 0;
        if (!TryPlace(ref state, in request, out ulong address))
        {
            return Refuse(ref request, Status.BadReply);
        }

        Unsafe.SkipInit(out ArgumentCopy answer);
        TSystem.CopyIn(Bytes(ref answer), address);
        if (!IsSound(command, in answer))
        {
            state.BadReplies++;
            return Refuse(ref request, Status.BadReply);
        }

        if (command == Rpc.AllocateMemory)
        {
            return Allocated(ref state, ref request, downcall, in answer);
        }

        ref UpcallMessage reply = ref MemoryMarshal.AsRef<UpcallMessage>(TSystem.Body);
        reply = default;
        reply.Command = command;
        reply.Result = answer.Header.Result;
        if (command == Rpc.GetTime && answer.Header.Result == Tee.Success)
        {
            reply.P0.Kind = ParameterKind.ValueOut;
            reply.P0.A = answer.Parameters[0].A;
            reply.P0.B = answer.Parameters[0].B;
        }

        return Reply(Status.Ok, (uint)Unsafe.SizeOf<UpcallMessage>());
    }

    /// <summary>The downcall itself sleeps in Linux.</summary>
    public static Status Sleep(ref ProxyState state, ref Request request, ulong downcall) => Send(ref state, ref request, downcall, Rpc.Suspend);

    /// <summary>Memory that does not do is asked for again, within bounds: the next lies elsewhere.</summary>
    private static Decision Allocated(ref ProxyState state, ref Request request, ulong downcall, in ArgumentCopy answer)
    {
        Status status = Memory<TSystem>.Take(ref state, in request, in answer);
        bool again = status == Status.Denied && ++request.Attempt < Memory<TSystem>.Attempts;
        if (status == Status.NoMemory && request.Fetches && request.Value > Rpc.MinMemoryBytes)
        {
            // Linux may have it in smaller pieces.
            request.Value = Math.Max(request.Value / 2, Rpc.MinMemoryBytes) & ~(UserLayout.PageBytes - 1);
            again = true;
        }

        if (again
            && Send(ref state, ref request, downcall, Rpc.AllocateMemory) == Status.Ok)
        {
            return Decision.Receive;
        }

        state.BadReplies += status == Status.BadReply ? 1ul : 0;
        return Refuse(ref request, status == Status.Denied ? Status.NoMemory : status);
    }

    /// <summary>A call is over, and its answer written: before its thread of Linux goes, it asks for memory that a component is short of. False: it just ends.</summary>
    public static bool TryFetch(ref ProxyState state, ref Request request, Decision end)
    {
        state.Wishes = TSystem.TakeWish(out request.Component, out ulong pages) == Status.Ok;
        if (!state.Wishes)
        {
            return false;
        }

        request.Value = pages * UserLayout.PageBytes;
        request.Attempt = 0;
        if (Send(ref state, ref request, end.Downcall, Rpc.AllocateMemory) != Status.Ok)
        {
            return false;
        }

        request.Downcall = end.Downcall;
        request.Answer = end.X0;
        request.Fetches = true;
        return true;
    }

    /// <summary>Writes the question and lets the downcall go to Linux with it.</summary>
    private static Status Send(ref ProxyState state, ref Request request, ulong downcall, uint command)
    {
        if (!TryPlace(ref state, in request, out ulong address))
        {
            return Status.BadState;
        }

        if (command == Rpc.AllocateMemory && !state.Allocations.TryReserve())
        {
            return Status.NoMemory;
        }

        ArgumentCopy argument = default;
        argument.Header.Command = (MessageCommand)command;
        argument.Header.Result = Tee.ErrorGeneric;
        argument.Header.ParameterCount = 1;
        if (command == Rpc.AllocateMemory)
        {
            Memory<TSystem>.Ask(ref argument.Parameters[0], request.Value);
        }
        else
        {
            argument.Parameters[0].Attribute = command == Rpc.GetTime ? MessageParameter.ValueOutput : MessageParameter.ValueInput;
            argument.Parameters[0].A = command == Rpc.GetTime ? 0 : request.Value;
        }

        TSystem.CopyOut(address, Bytes(ref argument));
        Status status = TSystem.Suspend(downcall, Tee.RpcCommand);
        request.Upcall = status == Status.Ok ? command : 0;
        state.Allocations.Reserved -= command == Rpc.AllocateMemory && status != Status.Ok ? 1 : 0;
        return status;
    }

    private static bool IsAllowed(in UpcallMessage asked) => asked.Command switch
    {
        Rpc.GetTime => true,
        Rpc.Suspend => asked.P0.A <= MaxSuspendMilliseconds,
        Rpc.AllocateMemory => Memory<TSystem>.IsAllowed(asked.P0.A),
        Rpc.FreeMemory => true,
        _ => false,
    };

    /// <summary>A time has fewer nanoseconds than a second has, and lies within 64-bit file times.</summary>
    private static bool IsSound(uint command, in ArgumentCopy answer) =>
        command != Rpc.GetTime || answer.Header.Result != Tee.Success
        || (answer.Parameters[0].B < NanosecondsPerSecond && answer.Parameters[0].A >> 40 == 0);

    private static bool TryPlace(ref ProxyState state, in Request request, out ulong address)
    {
        address = request.Argument.Address + request.Argument.Bytes;
        if (!SharedMemory<TSystem>.IsValid(ref state, in request.Argument))
        {
            return false;
        }

        ref Registration entry = ref state.Registrations[request.Argument.Entry - 1];
        ulong end = RegistrationTable.WindowOf(request.Argument.Entry - 1) + entry.PageOffset + entry.Bytes;
        return end - address >= ArgumentBytes;
    }

    private static Decision Refuse(Status status) => Reply(status, 0);

    /// <summary>As far as anybody waits for it.</summary>
    private static Decision Refuse(ref Request request, Status status)
    {
        if (!request.Fetches)
        {
            return Refuse(status);
        }

        ulong downcall = request.Downcall;
        request.Fetches = false;
        request.Downcall = 0;
        return Decision.Finish(downcall, request.Answer);
    }

    private static Decision Reply(Status status, uint length)
    {
        TSystem.Message = default;
        TSystem.Message.Label = MessageLabel.Reply;
        TSystem.Message.Length = length;
        TSystem.Message.Status = status;
        return Decision.Reply;
    }

    private static Span<byte> Bytes(ref ArgumentCopy argument) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref argument, 1))[..ArgumentBytes];
}
