using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What the frame table knows of one frame (4 bytes).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = 4)]
public struct FrameEntry
{
    public FrameType Type;

    /// <summary>Requests of Linux in progress that named this frame as their private argument page.</summary>
    public byte ArgumentCount;

    /// <summary>How often the secure world borrows it; of memory of Linux, not zero exactly when <see cref="Type"/> is <see cref="FrameType.SkSharedRw"/>.
    /// Of a stage-2 table below level 1: how many entries differ from the block that it stands for.</summary>
    public ushort BorrowCount;
}
