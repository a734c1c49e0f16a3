using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>Randomness, limits, and what the system says about itself.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong SetNameOption = 15;
    private const ulong LimitStack = 3;
    private const ulong LimitFiles = 7;
    private const ulong LimitCore = 4;

    /// <summary>Every .NET conclave holds the entropy service here (system description).</summary>
    public const uint EntropySlot = 2;

    private ulong FillRandom(ulong buffer, ulong bytes)
    {
        ulong done = 0;
        while (done < bytes)
        {
            if (_state.RandomLeft == 0 && !TryRefillRandom()) { return done != 0 ? done : Result.Of(Errno.TryAgain); }

            // What is handed out is forgotten at once.
            int take = (int)Math.Min(bytes - done, (ulong)_state.RandomLeft);
            Span<byte> pool = ((Span<byte>)_state.Random).Slice(_state.RandomLeft - take, take);
            bool written = TryWrite(buffer + done, pool);
            pool.Clear();
            _state.RandomLeft -= take;
            if (!written) { return Result.Of(Errno.BadAddress); }

            done += (ulong)take;
        }

        return done;
    }

    /// <summary>Asks the entropy service for a pool full. The message that the program may have in the page stays there.</summary>
    private bool TryRefillRandom()
    {
        Span<byte> page = _machine.MessagePage(_thread)[..(MessageHeader.Bytes + KitState.RandomBytes)];
        Span<byte> kept = ((Span<byte>)_state.Scratch)[..page.Length];
        page.CopyTo(kept);
        bool filled = TryAskForRandom(page);
        kept.CopyTo(page);
        return filled;
    }

    private bool TryAskForRandom(Span<byte> page)
    {
        ref MessageHeader header = ref MemoryMarshal.AsRef<MessageHeader>(page);
        header = default;
        header.Label = MessageLabel.Random;
        header.Word0 = KitState.RandomBytes;
        if (_machine.Call(EntropySlot) != Status.Ok || header.Status != Status.Ok || header.Length < KitState.RandomBytes) { return false; }

        page[MessageHeader.Bytes..].CopyTo(_state.Random);
        _state.RandomLeft = KitState.RandomBytes;
        return true;
    }

    /// <summary>Random bytes for ourselves: AT_RANDOM.</summary>
    private bool TryTakeRandom(Span<byte> destination)
    {
        if (_state.RandomLeft < destination.Length && !TryRefillRandom()) { return false; }

        Span<byte> pool = ((Span<byte>)_state.Random).Slice(_state.RandomLeft - destination.Length, destination.Length);
        pool.CopyTo(destination);
        pool.Clear();
        _state.RandomLeft -= destination.Length;
        return true;
    }

    /// <summary>struct sysinfo: the quota is all the memory there is.</summary>
    private ulong DescribeSystem(ulong address)
    {
        const int InfoBytes = 112;
        Span<byte> info = ((Span<byte>)_state.Scratch)[..InfoBytes];
        info.Clear();
        ulong uptime = _machine.Counter / _machine.CounterFrequency;
        MemoryMarshal.Write(info, uptime);
        MemoryMarshal.Write(info[32..], _state.CommitLimit * Page.Bytes);
        MemoryMarshal.Write(info[40..], (_state.CommitLimit - Math.Min(_state.CommittedPages, _state.CommitLimit)) * Page.Bytes);
        MemoryMarshal.Write(info[80..], (ushort)_state.ThreadCount);
        MemoryMarshal.Write(info[104..], 1u);
        return TryWrite(address, info) ? Result.Ok : Result.Of(Errno.BadAddress);
    }

    /// <summary>struct utsname: the interface is Linux's, of a version that has all we have.</summary>
    private ulong DescribeName(ulong address)
    {
        const int FieldBytes = 65;
        const int Fields = 6;
        Span<byte> name = ((Span<byte>)_state.Scratch)[..(FieldBytes * Fields)];
        name.Clear();
        "Linux"u8.CopyTo(name);
        "conclave"u8.CopyTo(name[FieldBytes..]);
        "6.1.0"u8.CopyTo(name[(FieldBytes * 2)..]);
        "Exclaves"u8.CopyTo(name[(FieldBytes * 3)..]);
        "aarch64"u8.CopyTo(name[(FieldBytes * 4)..]);
        return TryWrite(address, name) ? Result.Ok : Result.Of(Errno.BadAddress);
    }

    /// <summary>New limits are not taken: the quota is the limit.</summary>
    private ulong GetLimit(ulong resource, ulong old)
    {
        const ulong MaxResource = 16;
        if (resource >= MaxResource) { return Result.Of(Errno.InvalidArgument); }

        ulong value = resource switch
        {
            LimitStack => StackBytes,
            LimitFiles => PseudoFileTable.Capacity,
            LimitCore => 0,
            _ => ulong.MaxValue,
        };
        return old == 0 ? Result.Ok : Answer(old, new ResourceLimit { Current = value, Maximum = value });
    }

    private ulong GetStatistics(ulong address, ulong bytes)
    {
        _state.Statistics[(int)KitStatistic.ResidentPages] = _state.Resident.Pages;
        _state.Statistics[(int)KitStatistic.CommittedPages] = _state.CommittedPages;
        _state.Statistics[(int)KitStatistic.CommitLimit] = _state.CommitLimit;
        _state.Statistics[(int)KitStatistic.Threads] = (ulong)_state.ThreadCount;
        ReadOnlySpan<byte> all = MemoryMarshal.AsBytes((Span<ulong>)_state.Statistics);
        int length = (int)Math.Min(bytes & ~7UL, (ulong)all.Length);
        return TryWrite(address, all[..length]) ? (ulong)length : Result.Of(Errno.BadAddress);
    }
}
