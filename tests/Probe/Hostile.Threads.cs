using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <remarks>A component that may start threads (threads.json: four, of which SK starts one), and starts them wrong.</remarks>
internal ref partial struct Hostile
{
    private const uint MaxThreads = 4;
    private const int Patience = 1_000_000;

    public static void RunThreads(IpcPage page, ProbeStart how, ulong rounds, ref ServiceMessage message)
    {
        Hostile attack = new(page);
        if (how == ProbeStart.Refused)
        {
            attack.WrongStarts();
            for (ulong i = 0; i < rounds; i++)
            {
                attack.StartAll();
            }
        }
        else
        {
            attack.StartFatally(how);
        }

        message.P1.A = attack._calls;
        message.P1.B = attack._wrong;
        message.P2.A = attack._firstCall;
        message.P2.B = attack._firstStatus;
    }

    /// <summary>There is room for a thread, so that each is refused for what is wrong with it.</summary>
    private void WrongStarts()
    {
        ulong code = WorkerAddress();
        Expect(Status.BadArgument, SecureCall.StartThread, 0);
        for (ulong odd = 1; odd < 4; odd++)
        {
            Expect(Status.BadArgument, SecureCall.StartThread, code + odd);
        }

        Expect(Status.BadArgument, SecureCall.StartThread, UserLayout.End);
        Expect(Status.BadArgument, SecureCall.StartThread, code | (1ul << 56));
        Expect(Status.BadArgument, SecureCall.StartThread, code | (1ul << 63));
        Expect(Status.BadArgument, SecureCall.StartThread, 0xFFFF_0000_4000_0000);
        Expect(Status.BadArgument, SecureCall.StartThread, ulong.MaxValue - 3);
        for (ulong sp = 1; sp < 16; sp++)
        {
            Expect(Status.BadArgument, SecureCall.StartThread, code, UserLayout.StackTop - sp);
        }

        // Nobody but itself is there; who owes an answer stays.
        Expect(Status.BadState, SecureCall.ExitThread);
        Expect(Status.BadArgument, SecureCall.Kick, 0);
        for (ulong number = 1; number <= MaxThreads; number++)
        {
            Expect(Status.NotFound, SecureCall.Kick, number);
            Expect(Status.NotFound, SecureCall.Kick, number << 32);
        }

        Expect(Status.NotFound, SecureCall.Kick, ulong.MaxValue);
        Expect(Status.BadArgument, SecureCall.Barrier, ulong.MaxValue);

        // Who waits for itself, or for a thread that never was, waits until its deadline.
        Expect(Status.TimedOut, SecureCall.WaitEpoch, 3, 1, 1, 1);
        Expect(Status.TimedOut, SecureCall.WaitEpoch, 3, 1, MaxThreads, 1);
        Expect(Status.BadArgument, SecureCall.WaitEpoch, 3, 1, MaxThreads + 1, 1);
        Expect(Status.BadArgument, SecureCall.WaitEpoch, 3, 1, ulong.MaxValue, 1);
        Expect(Status.BadArgument, SecureCall.WakeEpoch, 3, 1, (ulong)EpochWake.None);
        Expect(Status.BadArgument, SecureCall.WakeEpoch, 3, 1, (ulong)EpochWake.Thread + 1);
        Expect(Status.BadArgument, SecureCall.WakeEpoch, 3, 1, (1ul << 32) | (ulong)EpochWake.All);
        Expect(Status.BadArgument, SecureCall.WakeEpoch, 3, 1, (ulong)EpochWake.Thread, MaxThreads);
        Expect(Status.Ok, SecureCall.WakeEpoch, 3, 1, (ulong)EpochWake.Thread, MaxThreads - 1);
    }

    /// <summary>As many as there may be, one more, and all of them gone again: nothing of them stays.</summary>
    private void StartAll()
    {
        SetGate(0);
        for (ulong number = 1; number < MaxThreads; number++)
        {
            Expect(Status.Ok, SecureCall.StartThread, WorkerAddress(), 0, 0, Mapped);
        }

        Expect(Status.NoMemory, SecureCall.StartThread, WorkerAddress(), 0, 0, Mapped);
        for (ulong number = 1; number < MaxThreads; number++)
        {
            Expect(Status.Ok, SecureCall.Kick, number);
        }

        Expect(Status.NotFound, SecureCall.Kick, MaxThreads);
        Expect(Status.Ok, SecureCall.Barrier);
        SetGate(1);
        for (ulong number = 1; number < MaxThreads; number++)
        {
            Status status = Status.Ok;
            for (int turn = 0; turn < Patience && status == Status.Ok; turn++)
            {
                _ = SecureCalls.Yield();
                status = Call(number, 0, 0, 0, 0, SecureCall.Kick);
            }

            _calls++;
            if (status != Status.NotFound)
            {
                Note(SecureCall.ExitThread, status, Status.NotFound);
            }
        }
    }

    /// <summary>It is started, and where it goes on is its own affair: the component ends.</summary>
    private void StartFatally(ProbeStart how)
    {
        ulong pc = how switch
        {
            ProbeStart.Unmapped => Unmapped,
            ProbeStart.Data => Mapped,
            _ => PusherAddress(),
        };
        Expect(Status.Ok, SecureCall.StartThread, pc, how == ProbeStart.NoStack ? 4096ul : 0, 0, 0);
        for (int turn = 0; turn < Patience; turn++)
        {
            _ = SecureCalls.Yield();
        }
    }

    private static unsafe void SetGate(ulong value)
    {
        // SAFETY: Capabilities.Make maps this page for ever, and the threads read nothing but this word of it.
        Volatile.Write(ref Unsafe.AsRef<ulong>((void*)Mapped), value);
    }

    [RuntimeImport("*", "probe_worker_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong WorkerAddress();

    [RuntimeImport("*", "probe_pusher_address")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    private static extern ulong PusherAddress();
}
