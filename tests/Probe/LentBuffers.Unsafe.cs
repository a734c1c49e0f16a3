using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>What the probe does with buffers that are lent to it, by the rules and against them.</summary>
internal static class LentBuffers
{
    private const int ChunkBytes = 4096;

    [InlineArray(ChunkBytes / sizeof(ulong))]
    private struct Chunk
    {
        private ulong _first;
    }

    /// <summary>Reads each chunk once into memory of its own.</summary>
    [SkipLocalsInit]
    public static bool TrySum(ref ServiceMessage message, out ulong sum)
    {
        sum = 0;
        LentBuffer buffer = LentBuffer.Of(ref message, 0);
        Unsafe.SkipInit(out Chunk chunk);
        Span<ulong> words = chunk;
        for (ulong done = 0; done < buffer.Bytes; done += ChunkBytes)
        {
            ulong rest = buffer.Bytes - done;
            Span<ulong> part = rest < ChunkBytes ? words[..(int)(rest / sizeof(ulong))] : words;
            if (!buffer.TryRead(done, MemoryMarshal.AsBytes(part)))
            {
                return false;
            }

            sum += Sum(part);
        }

        return buffer.Bytes != 0;
    }

    [SkipLocalsInit]
    public static bool TryFill(ref ServiceMessage message)
    {
        LentBuffer buffer = LentBuffer.Of(ref message, 0);
        int seed = (int)message.P1.A;
        for (ulong i = 0; i < buffer.Bytes / sizeof(ulong); i++)
        {
            ulong word = HelloTransform.Word(i, seed);
            if (!buffer.TryWrite(i * sizeof(ulong), MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in word))))
            {
                return false;
            }
        }

        return buffer.Bytes != 0;
    }

    /// <summary>Keeps the buffer until its owner writes to it, or for so many turns.</summary>
    public static bool TryHold(ref ServiceMessage message)
    {
        LentBuffer buffer = LentBuffer.Of(ref message, 0);
        ulong turns = message.P1.A;
        ulong word = 1;
        bool sound = buffer.TryWrite(0, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in word)));
        word = 0;
        for (ulong i = 0; sound && i < turns && word == 0; i++)
        {
            _ = SecureCalls.Yield();
            sound = buffer.TryRead(sizeof(ulong), MemoryMarshal.AsBytes(new Span<ulong>(ref word)));
        }

        message.P2.A = word;
        return sound;
    }

    /// <summary>Past what <see cref="LentBuffer"/> allows: a write to what was lent to be read, a read after the call. The threads' windows lie at known places.</summary>
    public static unsafe void Trespass(ProbeOperation operation)
    {
        // SAFETY: none; it is to fault.
        ulong* window = (ulong*)UserLayout.LentWindowOf(IpcPage.Own.IsFirst ? 0u : 1u);
        if (operation == ProbeOperation.WriteLent)
        {
            System.Threading.Volatile.Write(ref *window, 1);
        }
        else
        {
            _ = System.Threading.Volatile.Read(ref *window);
        }
    }

    private static ulong Sum(ReadOnlySpan<ulong> words)
    {
        const int Unrolled = 8;
        ulong sum = 0;
        int whole = words.Length & ~(Unrolled - 1);
        for (int i = 0; i < whole; i += Unrolled)
        {
            ref ulong at = ref Unsafe.Add(ref MemoryMarshal.GetReference(words), i);
            sum += at + Unsafe.Add(ref at, 1) + Unsafe.Add(ref at, 2) + Unsafe.Add(ref at, 3)
                + Unsafe.Add(ref at, 4) + Unsafe.Add(ref at, 5) + Unsafe.Add(ref at, 6) + Unsafe.Add(ref at, 7);
        }

        for (int i = whole; i < words.Length; i++)
        {
            sum += words[i];
        }

        return sum;
    }
}
