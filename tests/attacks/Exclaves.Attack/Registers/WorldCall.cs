using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Attack;

[InlineArray(4)]
internal struct CallWords
{
    private ulong _first;
}

[InlineArray(16)]
internal struct RegisterWrites
{
    private ulong _first;
}

[InlineArray(WorldCall.Words)]
internal struct Snapshot
{
    private ulong _first;
}

/// <summary>struct exclave_world_call of tests/attacks/module/world_call.h.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct WorldCall
{
    public const int Words = 256;
    public const int MaxWrites = 8;
    public const int Bytes = 4280;

    /// <summary>_IOWR('X', 2, struct exclave_world_call).</summary>
    public const uint Number = (3u << 30) | (Bytes << 16) | ('X' << 8) | 2;

    /// <summary>As many rounds of a loop as x2 says, in Linux, right before the call.</summary>
    public const ulong Spin = 1;

    public CallWords In;
    public ulong Seed;
    public ulong Flags;
    public ulong Count;
    public RegisterWrites Writes;
    public Snapshot Before;
    public Snapshot After;
}
