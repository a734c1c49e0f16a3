namespace Exclaves.SecureKernel;

/// <summary>The memory that one component may use: a contiguous range, handed over at boot.</summary>
/// <remarks>Frames below <see cref="Fresh"/> were given out at least once; those that came back are zero but for a link in their first
/// word, and form a list. Every frame given out is zero.</remarks>
public struct Untyped
{
    public ulong Base;
    public ulong Bytes;

    /// <summary>First frame never given out.</summary>
    public ulong Fresh;

    /// <summary>Physical address of the first free frame below, or 0.</summary>
    public ulong FreeList;
    public ulong UsedFrames;

    public readonly ulong FreeFrames => (Bytes / Limits.PageBytes) - UsedFrames;

    public void Initialize(ulong start, ulong bytes)
    {
        Base = start;
        Bytes = bytes;
        Fresh = start;
        FreeList = 0;
        UsedFrames = 0;
    }

    /// <summary>A zeroed frame, or 0 when the quota is used up.</summary>
    public ulong Allocate<TMachine>() where TMachine : struct, IMachine
    {
        ulong frame = FreeList;
        if (frame != 0)
        {
            ref ulong link = ref TMachine.At<ulong>(frame);
            FreeList = link;
            link = 0;
        }
        else if (Fresh < Base + Bytes)
        {
            frame = Fresh;
            Fresh += Limits.PageBytes;
        }
        else
        {
            return 0;
        }

        UsedFrames++;
        return frame;
    }

    /// <summary>Takes back a frame that its owner has used: scrubs it first.</summary>
    public void Release<TMachine>(ulong frame) where TMachine : struct, IMachine
    {
        TMachine.Clear(frame);
        ReleaseEmpty<TMachine>(frame);
    }

    /// <summary>Takes back a frame that is known to be zero: a table without entries.</summary>
    public void ReleaseEmpty<TMachine>(ulong frame) where TMachine : struct, IMachine
    {
        TMachine.At<ulong>(frame) = FreeList;
        FreeList = frame;
        UsedFrames--;
    }
}
