using System;

namespace Exclaves.Tightbeam.Sample;

/// <summary>With flags, up to the top bit.</summary>
[Flags]
public enum Rights : ulong
{
    None = 0,
    Read = 1,
    Write = 2,
    Own = 1UL << 63,
}
