using System;

namespace Exclaves.Sptm;

/// <summary>Starts the SMMU: whatever state firmware left it in, no transaction passes unchecked in between.</summary>
public static class SmmuControl<TBus>
    where TBus : struct, IDeviceBus
{
    /// <summary>Reads of a register until the SMMU must have answered; far more than any needs.</summary>
    private const int Patience = 1_000_000;

    /// <summary>Closes the SMMU, checks that it can do what the tables need, and opens it on them.</summary>
    /// <param name="registers">Physical address of its register page 0.</param>
    /// <param name="tables">Physical address of what <see cref="SmmuTables.TryBuild"/> wrote, cleaned to memory.</param>
    /// <param name="rule">What it lacks, when the answer is false. It then lets nothing pass.</param>
    public static bool TryStart(ulong registers, ulong tables, out ReadOnlySpan<byte> rule)
    {
        rule = "the SMMU does not answer"u8;

        // First the switch for "disabled means abort", then disabled. QEMU 7.2 has no such switch; there no device is a bus master yet.
        TBus.Write32(registers + SmmuRegister.Gbpa, SmmuRegister.GbpaUpdate | SmmuRegister.GbpaAbort);
        if (!Await(registers + SmmuRegister.Gbpa, SmmuRegister.GbpaUpdate, 0) || !TrySwitch(registers, 0))
        {
            return false;
        }

        if (!IsCapable(registers))
        {
            rule = "the SMMU lacks stage 1, AArch64 tables, two-level stream tables or 16 bits of stream id"u8;
            return false;
        }

        TBus.Write32(registers + SmmuRegister.IrqCtrl, 0);
        TBus.Write32(registers + SmmuRegister.GerrorN, TBus.Read32(registers + SmmuRegister.Gerror));
        Point(registers, tables);
        return TrySwitch(registers, SmmuRegister.Cr0CommandQueue) && TryForget(registers)

            // The command queue has done its work for good: the tables never change.
            && TrySwitch(registers, SmmuRegister.Cr0EventQueue)
            && TrySwitch(registers, SmmuRegister.Cr0EventQueue | SmmuRegister.Cr0Enable);
    }

    private static bool IsCapable(ulong registers)
    {
        const uint Wanted = SmmuRegister.Idr0Stage1 | SmmuRegister.Idr0Aarch64 | SmmuRegister.Idr0TwoLevel;
        uint size = TBus.Read32(registers + SmmuRegister.Idr1);
        return (TBus.Read32(registers + SmmuRegister.Idr0) & Wanted) == Wanted
            && (size & SmmuRegister.Idr1StreamBits) >= SmmuTables.StreamBits && (size & SmmuRegister.Idr1Preset) == 0;
    }

    private static void Point(ulong registers, ulong tables)
    {
        TBus.Write32(registers + SmmuRegister.Cr1, SmmuRegister.Cr1Cacheable);
        TBus.Write32(registers + SmmuRegister.Cr2, SmmuRegister.Cr2Strict);
        TBus.Write64(registers + SmmuRegister.StrtabBase, (tables + SmmuTables.StreamRoot) | SmmuRegister.BaseAllocate);
        TBus.Write32(registers + SmmuRegister.StrtabBaseCfg, SmmuRegister.StrtabTwoLevel | (SmmuTables.SplitBits << 6) | SmmuTables.StreamBits);
        TBus.Write64(registers + SmmuRegister.CmdqBase, (tables + SmmuTables.CommandQueue) | SmmuRegister.BaseAllocate | SmmuTables.CommandQueueBits);
        TBus.Write32(registers + SmmuRegister.CmdqProd, 0);
        TBus.Write32(registers + SmmuRegister.CmdqCons, 0);
        TBus.Write64(registers + SmmuRegister.EventqBase, (tables + SmmuTables.EventQueue) | SmmuRegister.BaseAllocate | SmmuTables.EventQueueBits);
        TBus.Write32(registers + SmmuRegister.EventqProd, 0);
        TBus.Write32(registers + SmmuRegister.EventqCons, 0);
    }

    private static bool TryForget(ulong registers)
    {
        TBus.Write32(registers + SmmuRegister.CmdqProd, SmmuTables.CommandCount);
        return Await(registers + SmmuRegister.CmdqCons, uint.MaxValue, SmmuTables.CommandCount)
            && ((TBus.Read32(registers + SmmuRegister.Gerror) ^ TBus.Read32(registers + SmmuRegister.GerrorN)) & SmmuRegister.GerrorCommandQueue) == 0;
    }

    private static bool TrySwitch(ulong registers, uint state)
    {
        TBus.Write32(registers + SmmuRegister.Cr0, state);
        return Await(registers + SmmuRegister.Cr0Ack, uint.MaxValue, state);
    }

    private static bool Await(ulong register, uint mask, uint value)
    {
        for (int i = 0; i < Patience; i++)
        {
            if ((TBus.Read32(register) & mask) == value)
            {
                return true;
            }
        }

        return false;
    }
}
