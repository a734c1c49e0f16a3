using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>Every system call with one thing wrong, then with everything wrong: SK refuses each, for its reason.</summary>
internal ref partial struct Hostile
{
    private const ulong Free = 100;
    private const ulong Mapped = UserLayout.PrivateBase;
    private const ulong Unmapped = UserLayout.PrivateBase + UserLayout.PageBytes;
    private const ulong ReadWrite = (ulong)(MemoryAccess.Read | MemoryAccess.Write);
    private const ulong TooLong = MessageHeader.MaxBodyBytes + 1;
    private const ulong LastNumber = 80;

    /// <summary>Words that are no slot with anything in it, no address of the component's own, no size or kind of anything.</summary>
    private static ReadOnlySpan<ulong> Words =>
    [
        0, 8, 39, 127, 128, 0xFFFF, 0x1_0001, 0x3_0001, 0x1F_FFFF, uint.MaxValue, (1ul << 32) | 2, (1ul << 63) | 3, ulong.MaxValue,
        Unmapped + 1, UserLayout.SharedBase, UserLayout.End, UserLayout.End - 8, 0xFFFF_0000_4000_0000, 0x0123_4567_89AB_CDE0, 0xF000,
    ];

    private readonly IpcPage _page;
    private ulong _calls;
    private ulong _wrong;
    private ulong _firstCall;
    private ulong _firstStatus;

    private Hostile(IpcPage page)
    {
        _page = page;
        _calls = 0;
        _wrong = 0;
        _firstCall = 0;
        _firstStatus = 0;
    }

    /// <summary>The answer: calls and how many were not refused as documented; of the first of those, the number, and the status that came (low half) and was due.</summary>
    public static void Run(IpcPage page, ulong seed, ulong count, ref ServiceMessage message)
    {
        Hostile attack = new(page);
        attack.Unknown();
        attack.Slots();
        attack.Powers();
        attack.Messages();
        attack.Memory();
        attack.Objects();
        attack.Threads();
        attack.Random(seed, count);
        message.P1.A = attack._calls;
        message.P1.B = attack._wrong;
        message.P2.A = attack._firstCall;
        message.P2.B = attack._firstStatus;
    }

    private static SecureCall Number(ulong number) => (SecureCall)number;

    private void Unknown()
    {
        Expect(Status.BadCall, SecureCall.None);
        for (ulong number = (ulong)SecureCall.MintKit + 1; number <= LastNumber; number++)
        {
            Expect(Status.BadCall, Number(number), 1, 2, 3);
        }

        Expect(Status.BadCall, Number((1ul << 32) | (ulong)SecureCall.Exit));
        Expect(Status.BadCall, Number(ulong.MaxValue));
    }

    /// <summary>No capability, one of another kind, one without the right.</summary>
    private void Slots()
    {
        for (int i = 0; i < Words.Length; i++)
        {
            Wrong(Words[i]);
        }

        for (ulong slot = Capabilities.Echo; slot <= Capabilities.Passing; slot++)
        {
            bool endpoint = slot is Capabilities.Echo or Capabilities.Hello or ComponentEntry.UpcallSlot or ComponentEntry.LogSlot;
            bool notification = slot is >= Capabilities.There and <= Capabilities.SignalBack;
            if (!endpoint)
            {
                Expect(Status.BadCapability, SecureCall.Call, slot);
                Expect(Status.BadCapability, SecureCall.TryCall, slot);
                Expect(Status.BadCapability, SecureCall.Send, slot);
            }

            if (!notification)
            {
                Expect(Status.BadCapability, SecureCall.Signal, slot);
                Expect(Status.BadCapability, SecureCall.Wait, slot);
                Expect(Status.BadCapability, SecureCall.Poll, slot);
            }

            if (slot != Capabilities.Frame)
            {
                Expect(Status.BadCapability, SecureCall.MapFrame, slot, Unmapped, ReadWrite);
                Expect(Status.BadCapability, SecureCall.UnmapFrame, slot);
            }

            if (slot is not Capabilities.Untyped and not Capabilities.Spare)
            {
                Expect(Status.BadCapability, SecureCall.Retype, slot, (ulong)ObjectKind.Endpoint, 0, Free, 1);
            }

            Expect(Status.BadCapability, SecureCall.MapDevice, slot, Unmapped);
            Expect(Status.BadCapability, SecureCall.MintKit, slot);
            Expect(Status.BadCapability, SecureCall.Defer, slot);
            Expect(Status.BadCapability, SecureCall.ReplyDeferred, slot);
        }

        for (ulong slot = Capabilities.SignalThere; slot <= Capabilities.SignalBack; slot++)
        {
            Expect(Status.Denied, SecureCall.Wait, slot);
            Expect(Status.Denied, SecureCall.Poll, slot);
        }

        Expect(Status.Busy, SecureCall.Poll, Capabilities.Back);
    }

    /// <summary>A slot's name that names nothing.</summary>
    private void Wrong(ulong slot)
    {
        Expect(Status.BadCapability, SecureCall.Call, slot);
        Expect(Status.BadCapability, SecureCall.TryCall, slot);
        Expect(Status.BadCapability, SecureCall.Send, slot);
        Expect(Status.BadCapability, SecureCall.MapDevice, slot, Unmapped);
        Expect(Status.BadCapability, SecureCall.MintKit, slot);
        Expect(Status.BadCapability, SecureCall.Defer, slot);
        Expect(Status.BadCapability, SecureCall.ReplyDeferred, slot);
        Expect(Status.BadCapability, SecureCall.Signal, slot);
        Expect(Status.BadCapability, SecureCall.Wait, slot);
        Expect(Status.BadCapability, SecureCall.Poll, slot);
        Expect(Status.BadCapability, SecureCall.Retype, slot, (ulong)ObjectKind.Endpoint, 0, Free, 1);
        Expect(Status.BadCapability, SecureCall.Derive, Free, slot, 3);
        Expect(Status.BadCapability, SecureCall.Move, Free, slot);
        Expect(Status.BadCapability, SecureCall.Revoke, slot);
        Expect(Status.BadCapability, SecureCall.Delete, slot);
        Expect(Status.BadCapability, SecureCall.MapFrame, slot, Unmapped, ReadWrite);
        Expect(Status.BadCapability, SecureCall.UnmapFrame, slot);
    }

    /// <summary>Calls for those that act for Linux, drive a device or may count.</summary>
    private void Powers()
    {
        Expect(Status.BadCapability, SecureCall.Forward, Capabilities.Echo);
        Expect(Status.BadCapability, SecureCall.ForwardReceive, Capabilities.Echo);
        Expect(Status.BadCapability, SecureCall.Finish, 1);
        Expect(Status.BadCapability, SecureCall.FinishReceive, 1);
        Expect(Status.BadCapability, SecureCall.Suspend, 1);
        Expect(Status.BadCapability, SecureCall.LinuxRead, 0x4000_0000, Mapped, 8);
        Expect(Status.BadCapability, SecureCall.LinuxWrite, 0x4000_0000, Mapped, 8);
        Expect(Status.BadCapability, SecureCall.ShareMap, Mapped, 1, UserLayout.SharedBase);
        Expect(Status.BadCapability, SecureCall.ShareUnmap, UserLayout.SharedBase, 1);
        Expect(Status.BadCapability, SecureCall.Donate, 0x4000_0000, 1);
        Expect(Status.BadCapability, SecureCall.ReturnDonated, SecureCallArguments.Everybody);
        Expect(Status.BadCapability, SecureCall.CollectDonated);
        Expect(Status.BadCapability, SecureCall.TakeWish);
        Expect(Status.BadCapability, SecureCall.BindInterrupt, 1, 1);
        Expect(Status.BadCapability, SecureCall.Restart, 1);
        Expect(Status.BadCapability, SecureCall.LendTime, 1);
        Expect(Status.BadCapability, SecureCall.PhysicalAddress, Mapped);
        Expect(Status.BadCapability, SecureCall.Counters, Mapped, 1);
        Expect(Status.BadCapability, SecureCall.ComponentInfo);
    }

    private void Messages()
    {
        // It serves a call, so it cannot take another; what is too long cannot be sent.
        ref MessageHeader header = ref _page.Header;
        uint length = header.Length;
        header.Label = MessageLabel.Invoke;
        header.Length = (uint)TooLong;
        Expect(Status.BadState, SecureCall.Receive);
        Expect(Status.BadState, SecureCall.Receive, Capabilities.Echo);
        Expect(Status.BadArgument, SecureCall.Reply);
        Expect(Status.BadArgument, SecureCall.ReplyReceive);
        Expect(Status.BadArgument, SecureCall.Call, Capabilities.Echo);
        header.Length = uint.MaxValue;
        Expect(Status.BadArgument, SecureCall.TryCall, Capabilities.Echo);
        header.Length = 0;
        for (uint label = (uint)MessageLabel.Downcall; label <= (uint)MessageLabel.MemoryWanted; label++)
        {
            header.Label = (MessageLabel)label;
            Expect(Status.BadArgument, SecureCall.Call, Capabilities.Echo);
        }

        header.Length = length;
    }

    private void Memory()
    {
        for (int i = 0; i < Words.Length; i++)
        {
            Expect(Status.BadArgument, SecureCall.MapMemory, Words[i], 1, ReadWrite);
            Expect(Status.BadArgument, SecureCall.UnmapMemory, Words[i], 1);
            Expect(Status.BadArgument, SecureCall.ProtectMemory, Words[i], 1, ReadWrite);
            Expect(Status.BadArgument, SecureCall.MapFrame, Capabilities.Frame, Words[i], ReadWrite);
            Expect(Status.BadState, SecureCall.ResumeContext, Words[i]);
            Expect(Status.BadAddress, SecureCall.Log, Words[i], 16);
            Expect((Words[i] & 4095) == 0 ? Status.BadAddress : Status.BadArgument, SecureCall.SetPersonality, UserLayout.ComponentBase, Mapped, Words[i]);
        }

        Expect(Status.BadArgument, SecureCall.MapMemory, Unmapped, 0, ReadWrite);
        Expect(Status.BadArgument, SecureCall.MapMemory, Unmapped, ulong.MaxValue, ReadWrite);
        Expect(Status.NoMemory, SecureCall.MapMemory, Unmapped, 0x1_0000, ReadWrite);
        Expect(Status.BadAddress, SecureCall.MapMemory, Mapped, 1, ReadWrite);
        Expect(Status.BadArgument, SecureCall.MapMemory, Unmapped, 1, (ulong)MemoryAccess.Execute);
        Expect(Status.BadArgument, SecureCall.MapMemory, Unmapped, 1, 7);
        Expect(Status.BadArgument, SecureCall.ProtectMemory, Mapped, 1, 5);
        Expect(Status.BadAddress, SecureCall.ProtectMemory, UserLayout.ComponentBase, 1, ReadWrite);
        Expect(Status.BadState, SecureCall.MapFrame, Capabilities.Frame, Mapped, ReadWrite);
        Expect(Status.BadArgument, SecureCall.MapFrame, Capabilities.Frame, Unmapped, 0);
        Expect(Status.BadArgument, SecureCall.Log, Mapped, 0);
        Expect(Status.BadArgument, SecureCall.Log, Mapped, 257);
        Expect(Status.BadAddress, SecureCall.Log, Unmapped - 1, 16);
        Expect(Status.BadArgument, SecureCall.SetPersonality, 0, Mapped, Mapped);
        Expect(Status.BadArgument, SecureCall.SetPersonality, UserLayout.ComponentBase + 2, Mapped, Mapped);
        Expect(Status.BadArgument, SecureCall.SetPersonality, UserLayout.ComponentBase, Mapped + 8, Mapped);
        Expect(Status.BadAddress, SecureCall.SetPersonality, UserLayout.ComponentBase, Mapped, UserLayout.StartInfo);
    }

    private void Objects()
    {
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.None, 0, Free, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.CapabilityTable + 1, 0, Free, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Frame, 12, Free, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Untyped, 11, Free, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Untyped, 64, Free, 1);
        Expect(Status.NoMemory, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Untyped, 40, Free, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Endpoint, 0, 0, 1);
        Expect(Status.BadArgument, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Endpoint, 0, 128, 1);
        Expect(Status.BadState, SecureCall.Retype, Capabilities.Untyped, (ulong)ObjectKind.Endpoint, 0, Capabilities.Untyped, 1);
        Expect(Status.BadArgument, SecureCall.Derive, 0, Capabilities.There, 3);
        Expect(Status.BadState, SecureCall.Derive, Capabilities.Back, Capabilities.There, 3);
        Expect(Status.Denied, SecureCall.Derive, Free, Capabilities.Untyped, 63);
        Expect(Status.Denied, SecureCall.Derive, Free, Capabilities.SignalThere, 3, 4);
        Expect(Status.Denied, SecureCall.Derive, Free, Capabilities.Frame, 63, 1);
        Expect(Status.Denied, SecureCall.Move, Free, Capabilities.Echo + 1);
        Expect(Status.BadState, SecureCall.Move, Capabilities.Back, Capabilities.There);
        Expect(Status.Denied, SecureCall.Delete, ComponentEntry.OwnEndpointSlot);
        Expect(Status.Denied, SecureCall.Delete, Capabilities.Untyped);
        Rights();
        Exhausted();
    }

    /// <summary>What was derived without a right has none, and derives none; a badge stays.</summary>
    private void Rights()
    {
        const ulong Send = (ulong)CapabilityRights.Send;
        const ulong Receive = (ulong)CapabilityRights.Receive;
        const ulong Badge = 5;
        Expect(Status.Ok, SecureCall.Derive, Capabilities.Passing, Capabilities.StormRoot, Receive, Badge);
        Expect(Status.Denied, SecureCall.Call, Capabilities.Passing);
        Expect(Status.Denied, SecureCall.TryCall, Capabilities.Passing);
        Expect(Status.Denied, SecureCall.Derive, Free, Capabilities.Passing, Receive, Badge + 1);
        Expect(Status.Ok, SecureCall.Derive, Free, Capabilities.Passing, Send | Receive);
        Expect(Status.Denied, SecureCall.Call, Free);
        Expect(Status.Ok, SecureCall.Delete, Capabilities.Passing);
        Expect(Status.BadCapability, SecureCall.Delete, Free);
    }

    /// <summary>What is given out of untyped memory is not given out again before it is back.</summary>
    private void Exhausted()
    {
        const ulong All = 8;
        Expect(Status.Ok, SecureCall.Revoke, Capabilities.Spare);
        Expect(Status.Ok, SecureCall.Retype, Capabilities.Spare, (ulong)ObjectKind.Frame, 0, Free, All);
        Expect(Status.NoMemory, SecureCall.Retype, Capabilities.Spare, (ulong)ObjectKind.Frame, 0, Free + All, 1);
        Expect(Status.NoMemory, SecureCall.Retype, Capabilities.Spare, (ulong)ObjectKind.Endpoint, 0, Free + All, 1);
        Expect(Status.Ok, SecureCall.Delete, Free);
        Expect(Status.NoMemory, SecureCall.Retype, Capabilities.Spare, (ulong)ObjectKind.Endpoint, 0, Free, 1);
        Expect(Status.Ok, SecureCall.Revoke, Capabilities.Spare);
    }

    /// <summary>No thread is left to start; who owes an answer does not end; a sibling is another thread of this component.</summary>
    private void Threads()
    {
        for (int i = 0; i < Words.Length; i++)
        {
            bool isCode = Words[i] is > 0 and < UserLayout.End && (Words[i] & 3) == 0;
            Expect(isCode ? Status.NoMemory : Status.BadArgument, SecureCall.StartThread, Words[i]);
            Expect(Words[i] == 0 ? Status.Ok : Status.BadArgument, SecureCall.Barrier, Words[i]);
            Expect(Status.BadArgument, SecureCall.WakeEpoch, Words[i], 1, Words[i] == 0 ? 0 : Words[i] | 8);
            Expect(Words[i] == 0 ? Status.Ok : Status.BadArgument, SecureCall.WakeEpoch, 1, 1, (ulong)EpochWake.Thread, Words[i]);
            if (Words[i] != 0)
            {
                Expect(Status.BadArgument, SecureCall.WaitEpoch, 1, 1, Words[i]);
                Expect(Status.NotFound, SecureCall.Kick, Words[i]);
            }
        }

        Expect(Status.BadArgument, SecureCall.StartThread, UserLayout.ComponentBase, 8);
        Expect(Status.BadState, SecureCall.ExitThread);
        Expect(Status.TimedOut, SecureCall.WaitEpoch, 1, 1, 0, 1);

        // A wake-up that came first is not lost, whatever it was for.
        Expect(Status.Ok, SecureCall.WakeEpoch, 2, 2, (ulong)EpochWake.All);
        Expect(Status.Ok, SecureCall.WaitEpoch, 2, 1);
    }

    /// <summary>Any number, any words: never success.</summary>
    private void Random(ulong seed, ulong count)
    {
        ulong state = seed | 1;
        uint length = _page.Header.Length;
        _page.Header.Length = (uint)TooLong;
        for (ulong i = 0; i < count; i++)
        {
            ulong number = Next(ref state) % (LastNumber + 1);
            if ((SecureCall)number is SecureCall.Exit or SecureCall.Yield or SecureCall.WaitEpoch or SecureCall.WakeEpoch or SecureCall.Kick or SecureCall.Barrier)
            {
                continue;
            }

            ulong x0 = Word(ref state);
            ulong x1 = Word(ref state);
            ulong x2 = Word(ref state);
            ulong x3 = Word(ref state);
            Status status = Call(x0, x1, x2, x3, Word(ref state) | 1, (SecureCall)number);
            _calls++;
            if (status is Status.Ok or > Status.NotFound)
            {
                Note((SecureCall)number, status, Status.BadArgument);
            }
        }

        _page.Header.Length = length;
    }

    private static ulong Word(ref ulong state) => Words[(int)(Next(ref state) % (ulong)Words.Length)];

    private static ulong Next(ref ulong state)
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }

    private void Expect(Status due, SecureCall call, ulong x0 = 0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0, ulong x4 = 0)
    {
        Status status = Call(x0, x1, x2, x3, x4, call);
        _calls++;
        if (status != due)
        {
            Note(call, status, due);
        }
    }

    private void Note(SecureCall call, Status status, Status due)
    {
        if (_wrong++ == 0)
        {
            _firstCall = (ulong)call;
            _firstStatus = (ulong)status | ((ulong)due << 32);
        }
    }

    [RuntimeImport("*", "probe_call")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern Status Call(ulong x0, ulong x1, ulong x2, ulong x3, ulong x4, SecureCall call);
}
