using System;

namespace Exclaves.Abi;

/// <summary>SPTM's answer to a function of SK_BOOTSTRAP, in x0.</summary>
public enum CallResult : ulong
{
    Ok = 0,

    /// <summary>A frame's type, count or place does not permit it. The frame is as before. Linux can cause this answer.</summary>
    Refused = 1,
}

/// <summary>x5 of <see cref="GateEndpoint.Enter"/>.</summary>
[Flags]
public enum EnterFlags : ulong
{
    None = 0,

    /// <summary>Linux started anew: sessions, shared frames and suspended calls of its predecessor are void before this call is looked at.</summary>
    Reset = 1,
}
