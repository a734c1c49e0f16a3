using System;
using System.Runtime.InteropServices;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>The image where the loader put it.</summary>
public readonly unsafe struct ImageMemory : IImageMemory
{
    // SAFETY: RAM is mapped from Virt.RamBase on for 4 GiB; callers name ranges of the image that fixed places or ImageCheck bound.
    public static ReadOnlySpan<byte> At(ulong address, ulong bytes) => new((void*)address, (int)bytes);
}

/// <summary>SHA-256 by this CPU's instructions, which <see cref="Boot"/> has looked for.</summary>
public readonly struct MachineSha256 : ISha256Blocks
{
    private const int BlockBytes = 64;

    public static void Compress(Span<uint> state, ReadOnlySpan<byte> blocks) =>
        Arm64.Sha256Blocks(ref MemoryMarshal.GetReference(state), ref MemoryMarshal.GetReference(blocks), (nuint)(blocks.Length / BlockBytes));
}
