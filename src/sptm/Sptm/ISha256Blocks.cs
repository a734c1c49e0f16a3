using System;

namespace Exclaves.Sptm;

/// <summary>Who compresses blocks: portable code, or the machine's instructions.</summary>
public interface ISha256Blocks
{
    /// <param name="state">Eight words, changed in place.</param>
    /// <param name="blocks">One or more blocks of 64 bytes.</param>
    static abstract void Compress(Span<uint> state, ReadOnlySpan<byte> blocks);
}
