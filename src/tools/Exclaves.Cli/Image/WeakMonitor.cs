using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.Cli.Image;

/// <summary>The monitor for tests with the defences left out that a test names (src/sptm/Sptm.Weak).</summary>
public static class WeakMonitor
{
    /// <summary>Stands before the mask in the image (weak.S).</summary>
    private static ReadOnlySpan<byte> Mark => "EXCLAVES WITHOUT"u8;

    /// <summary>Writes a copy of <paramref name="monitor"/> without <paramref name="defences"/> to <paramref name="target"/>.</summary>
    public static void Write(string monitor, IReadOnlyList<Defence> defences, string target)
    {
        byte[] image = File.ReadAllBytes(monitor);
        int at = image.AsSpan().IndexOf(Mark);
        if (at < 0 || image.AsSpan(at + 1).IndexOf(Mark) >= 0)
        {
            throw new ExclaveException($"{monitor} is no monitor for tests: it does not hold one mask of defences.");
        }

        ulong mask = defences.Aggregate(0ul, (sum, defence) => sum | (1ul << (int)defence));
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at + Mark.Length), mask);
        File.WriteAllBytes(target, image);
    }
}
