using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Attack;

/// <summary>What the module can be asked for; the words of each are described in exclave_attack.h.</summary>
internal enum AttackKind : uint
{
    Read = 0,
    Write = 1,
    ReadDirect = 2,
    WriteDirect = 3,
    Fetch = 4,
    Walk = 5,
    Lpi = 6,
    Call = 7,
    TimedCall = 8,
    Page = 9,
    Dump = 10,
    InterruptedCall = 11,
    Storm = 12,
}

/// <summary>The instruction of a call, and its immediate: bit 0 of the module's flags is SMC, bits 1 and 2 choose 0, 1 or 0xFFFF.</summary>
internal enum CallForm : uint
{
    Hypervisor = 0,
    Firmware = 1,
    HypervisorOne = 2,
    FirmwareOne = 3,
    HypervisorLast = 4,
    FirmwareLast = 5,
}

/// <summary>How <see cref="AttackKind.WriteDirect"/> stores.</summary>
internal enum StoreForm : uint
{
    Plain = 0,
    Exclusive = 1,
    Swap = 2,
    Zero = 3,
}

[InlineArray(8)]
internal struct AttackWords
{
    private ulong _first;
}

/// <summary>struct exclave_attack.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct AttackRequest
{
    /// <summary>_IOWR('X', 1, struct exclave_attack).</summary>
    public const uint Number = 0xC090_5801;

    public AttackKind Kind;
    public uint Flags;
    public long Error;
    public AttackWords In;
    public AttackWords Out;
}
