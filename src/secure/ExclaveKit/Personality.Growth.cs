using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Memory of Linux. A charge beyond the own memory is granted when Linux has given as much; so the program is told "no memory" where it can still act on it. A page that finds no frame none the less
/// (SK gives back by itself what is not used for a time) asks once more. The thread waits in Linux, in its own call and without the lock: what it was doing is done again afterwards, from its start.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong MinWantedPages = Rpc.MinMemoryBytes / Page.Bytes;
    private const ulong MaxWantedPages = Rpc.MaxMemoryBytes / Page.Bytes;

    /// <summary>A thread that no call runs cannot ask: SK knows that the conclave is short, and the next call of anybody that ends does (docs/decisions/0005). About two seconds.</summary>
    private const uint MaxNaps = 500;
    private const ulong NapsPerSecond = 250;

    /// <summary>Whether so many pages may be charged in all. False: no; or the thread waits for an answer, and is not ready.</summary>
    private bool MayCharge(ulong pages)
    {
        _state.QuotaRefused = pages > _state.CommitLimit;
        if (_state.QuotaRefused) { return false; }

        ulong there = _state.OwnPages + _machine.DonatedPages;
        if (pages <= there) { return true; }

        if (!Current.MemoryRefused)
        {
            WaitForMemory(pages - there);
            return false;
        }

        _state.QuotaRefused = !Current.MayOvercommit;
        return Current.MayOvercommit;
    }

    private void WaitForMemory(ulong pages)
    {
        // Half of what is here, so that many pages are few runs: all conclaves together can have 64.
        ulong donated = _machine.DonatedPages;
        ulong left = _state.CommitLimit - Math.Min(_state.CommitLimit, _state.OwnPages + donated);
        ulong wanted = Math.Max(pages, Math.Min(donated / 2, left));
        Current.WantedPages = Math.Min(Math.Max(wanted, MinWantedPages), MaxWantedPages);
        BeginWait(ThreadState.Memory, Clock.Never);
    }

    /// <summary>An upcall for the call that this thread serves. The program's message is kept meanwhile.</summary>
    private Status AskForMemory()
    {
        Span<byte> page = _machine.MessagePage(_thread)[..(MessageHeader.Bytes + Unsafe.SizeOf<UpcallMessage>())];
        Span<byte> kept = stackalloc byte[page.Length];
        page.CopyTo(kept);
        page.Clear();
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(page);
        header.Label = MessageLabel.Upcall;
        header.Length = (uint)Unsafe.SizeOf<UpcallMessage>();
        ref UpcallMessage upcall = ref MemoryMarshal.AsRef<UpcallMessage>(page[MessageHeader.Bytes..]);
        upcall.Command = Rpc.AllocateMemory;
        upcall.P0.Kind = ParameterKind.ValueIn;
        upcall.P0.A = Current.WantedPages * Page.Bytes;
        Status status = _machine.Call(ComponentEntry.UpcallSlot);
        status = status == Status.Ok ? header.Status : status;
        kept.CopyTo(page);
        return status;
    }

    private void EndMemory(Status status)
    {
        bool napped = Current.Deadline != Clock.Never;
        if (status == Status.NoMemory && Current.WantedPages > MinWantedPages)
        {
            // Linux may have it in smaller pieces, or less is left of what was declared.
            Current.WantedPages = Math.Max(Current.WantedPages / 2, MinWantedPages);
            return;
        }
        else if (status == Status.BadState && Current.Reason == ReflectReason.Fault && Current.Naps++ < MaxNaps)
        {
            Current.Deadline = _machine.Counter + (_machine.CounterFrequency / NapsPerSecond);
            Current.WaitEpoch = _state.Lock.NextEpoch();
            return;
        }
        else if (status == Status.BadState)
        {
            // Nobody could be asked. What is charged may come until it is touched.
            Current.MayOvercommit = true;
            Current.MemoryRefused = true;
        }
        else
        {
            // A nap answers nothing, and where memory came the question is put anew.
            Current.MemoryRefused = status != Status.Ok && !napped;
        }

        Current.State = ThreadState.Runnable;
        Current.Deadline = Clock.Never;
        Act();
    }
}
