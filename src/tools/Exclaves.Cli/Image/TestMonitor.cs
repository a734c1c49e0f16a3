using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Exclaves.Cli.Machine;

namespace Exclaves.Cli.Image;

/// <summary>The monitors for tests, each with the mask of what a test wants left out or put wrong (src/sptm/Sptm.Weak, src/sptm/Sptm.Checked).</summary>
public static class TestMonitor
{
    /// <summary>Writes a copy of the monitor that <paramref name="spec"/> names to <paramref name="target"/>.</summary>
    public static void Write(Workspace workspace, MachineSpec spec, string target)
    {
        // The text stands before the mask in the image (weak.S, checked.S).
        (string name, string mark, IEnumerable<uint> bits) = spec.Variant == ImageVariant.Weak
            ? ("Sptm.Weak", "EXCLAVES WITHOUT", spec.Without.Select(defence => (uint)defence))
            : ("Sptm.Checked", "EXCLAVES PLANTED", spec.Planted.Select(difference => (uint)difference));
        string monitor = Path.Combine(workspace.Out, "obj", name, name + ".bin");
        byte[] image = File.ReadAllBytes(monitor);
        ReadOnlySpan<byte> word = System.Text.Encoding.ASCII.GetBytes(mark);
        int at = image.AsSpan().IndexOf(word);
        if (at < 0 || image.AsSpan(at + 1).IndexOf(word) >= 0)
        {
            throw new ExclaveException($"{monitor} is no monitor for tests: it does not hold one mask.");
        }

        ulong mask = bits.Aggregate(0ul, (sum, bit) => sum | (1ul << (int)bit));
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at + word.Length), mask);
        File.WriteAllBytes(target, image);
    }
}
