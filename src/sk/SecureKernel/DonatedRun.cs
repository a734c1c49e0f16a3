using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.SecureKernel;

/// <summary>What happens to a run of donated frames. Zero is no run.</summary>
public enum RunState : byte
{
    Free = 0,

    /// <summary>SPTM is still being asked for its frames; none is used.</summary>
    Filling = 1,

    /// <summary>Its frames are its owner's to use.</summary>
    Held = 2,

    /// <summary>Its frames go back to Linux, scrubbed by SPTM; nobody uses them any more.</summary>
    Returning = 3,

    /// <summary>All are back. XnuProxy has not been told yet that Linux may free them.</summary>
    Returned = 4,
}

[InlineArray((int)(Limits.RunPages / 64))]
public struct FrameBits
{
    private ulong _first;
}

/// <summary>Contiguous frames that Linux allocated for one component.</summary>
/// <remarks>What SK knows about them lies here and never in the frames: Linux can take any of them back at any time.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct DonatedRun
{
    public RunState State;
    public int Owner;
    public ulong Base;
    public uint Pages;

    /// <summary>Frames from the start on that SPTM has given.</summary>
    public uint Given;

    /// <summary>While <see cref="RunState.Returning"/>: how many of these are back.</summary>
    public uint Back;

    /// <summary>Frames in use, one bit each.</summary>
    public uint Used;
    public FrameBits Bits;

    public readonly bool Contains(ulong page) => State != RunState.Free && page - Base < Pages * Limits.PageBytes;
}

[InlineArray(Limits.DonatedRuns)]
public struct DonatedRunTable
{
    private DonatedRun _first;
}
