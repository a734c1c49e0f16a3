using System.Collections.Generic;
using Exclaves.Abi;
using Exclaves.RogueKernel;

namespace Exclaves.Attack;

/// <summary>All steps of SK that end the secure world.</summary>
internal static class LastSteps
{
    /// <summary>The instruction that opens SK's entry.S, and the one after it: MOV x20, x1; MOV x21, x2.</summary>
    public const ulong FirstWordOfText = 0xAA02_03F5_AA01_03F4;

    private const ulong SptmData = Virt.SptmBase + Virt.SptmSlotBytes - 4096;

    public static IReadOnlyList<LastStep> All { get; } =
    [
        new("sk.linux.read", LastStepKind.ReadWord, RogueCommand.Load, 0, sizeof(ulong)),
        new("sk.sptm.write", LastStepKind.WriteWord, RogueCommand.Store, SptmData, sizeof(ulong)),
        new("sk.log.write", LastStepKind.WriteLog, RogueCommand.Store, 0, sizeof(ulong)),
        new("sk.device", LastStepKind.ReadDevice, RogueCommand.Load, Virt.GicDistributor + 4, sizeof(uint) + RogueKernel.DeviceMemory),
        new("sk.walk", LastStepKind.ReadWord, RogueCommand.Walk, 0, 8),
        new("sk.text.write", LastStepKind.WriteWord, RogueCommand.Store, Virt.SkBase, sizeof(ulong)),
        new("sk.data.execute", LastStepKind.RunData, RogueCommand.Execute, RogueKernel.OwnPage + 16),
        new("sk.linux.execute", LastStepKind.RunLinux, RogueCommand.Execute, 0),
        new("sk.retype.edge", LastStepKind.Call, RogueCommand.Gate, 0, 0, Dispatch.Target(DispatchTable.SkBootstrap, (uint)SkFunction.Retype)),
        new("sk.call", LastStepKind.Call, RogueCommand.Gate, 0, 0, Dispatch.Target(DispatchTable.TxmBootstrap, (uint)TxmFunction.Verdict)),
        new("sk.smc", LastStepKind.Firmware, RogueCommand.Instruction, RogueKernel.InstructionSmc, 0xC400_0003),
    ];
}
