using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Which copies between Linux's and SK's memory SPTM makes for SK (design review 4, I2).</summary>
/// <remarks>SK never maps a frame of Linux that is not shared; what it must read or write once is copied here, at most a page.</remarks>
public static class CopyRules
{
    /// <summary>Reading: any frame of Linux, into private memory of SK.</summary>
    /// <returns><see cref="Status.BadAddress"/>: SK's side or the length is wrong, which is SK's fault alone. <see cref="Status.Denied"/>: Linux named the wrong frame.</returns>
    public static Status CheckRead(in FrameTable frames, ulong linux, ulong secure, ulong bytes)
    {
        FrameType from = frames.TypeOf(linux);
        return !WithinPages(linux, secure, bytes) ? Status.BadAddress
            : frames.TypeOf(secure) != FrameType.SkDefault ? Status.BadAddress
            : from is not (FrameType.XnuDefault or FrameType.SkSharedRw) ? Status.Denied
            : Status.Ok;
    }

    /// <summary>Writing: only a frame that Linux named as the argument page of a request still in progress.</summary>
    public static Status CheckWrite(in FrameTable frames, ulong linux, ulong secure, ulong bytes)
    {
        Status status = CheckRead(frames, linux, secure, bytes);
        return status != Status.Ok ? status
            : frames.Entry(linux).ArgumentCount == 0 ? Status.Denied
            : Status.Ok;
    }

    /// <summary>Whether SPTM reads (or writes) a range of SK's memory at SK's word: at most a page, all of it SK's own, and never written where SK cannot write itself (I2).</summary>
    /// <remarks>It may lie in two frames; the monitor reaches both in one run, as SK's direct map does.</remarks>
    public static bool IsOwn(in FrameTable frames, ulong address, ulong bytes, bool isWritten) =>
        bytes - 1 < FrameTable.PageBytes
        && IsOwn(frames.TypeOf(address), isWritten)
        && IsOwn(frames.TypeOf(address + bytes - 1), isWritten);

    private static bool IsOwn(FrameType type, bool isWritten) => type == FrameType.SkDefault || (type == FrameType.SkConst && !isWritten);

    private static bool WithinPages(ulong linux, ulong secure, ulong bytes)
    {
        const ulong Offset = FrameTable.PageBytes - 1;
        return bytes is > 0 and <= FrameTable.PageBytes
            && (linux & Offset) + bytes <= FrameTable.PageBytes
            && (secure & Offset) + bytes <= FrameTable.PageBytes;
    }
}
