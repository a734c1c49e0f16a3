using System;

namespace Exclaves.Sptm;

/// <summary>The loaded image, by physical address.</summary>
public interface IImageMemory
{
    /// <summary>A range that the caller has checked to lie in RAM.</summary>
    static abstract ReadOnlySpan<byte> At(ulong address, ulong bytes);
}
