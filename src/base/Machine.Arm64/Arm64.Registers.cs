using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Machine;

/// <summary>System registers that more than one level uses, by the manual's names.</summary>
/// <remarks>Each member is one instruction in sysregs.S. Writes imply no barrier: say which one you need.</remarks>
public static partial class Arm64
{
    [RuntimeImport("*", "arm64_read_esr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadEsrEl1();

    [RuntimeImport("*", "arm64_write_esr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteEsrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_elr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadElrEl1();

    [RuntimeImport("*", "arm64_write_elr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteElrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_far_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadFarEl1();

    [RuntimeImport("*", "arm64_write_far_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteFarEl1(ulong value);

    [RuntimeImport("*", "arm64_read_spsr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadSpsrEl1();

    [RuntimeImport("*", "arm64_write_spsr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteSpsrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_sctlr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadSctlrEl1();

    [RuntimeImport("*", "arm64_write_sctlr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteSctlrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_tcr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTcrEl1();

    [RuntimeImport("*", "arm64_write_tcr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTcrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_ttbr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTtbr0El1();

    [RuntimeImport("*", "arm64_write_ttbr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTtbr0El1(ulong value);

    [RuntimeImport("*", "arm64_read_ttbr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTtbr1El1();

    [RuntimeImport("*", "arm64_write_ttbr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTtbr1El1(ulong value);

    [RuntimeImport("*", "arm64_read_mair_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadMairEl1();

    [RuntimeImport("*", "arm64_write_mair_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteMairEl1(ulong value);

    [RuntimeImport("*", "arm64_read_amair_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadAmairEl1();

    [RuntimeImport("*", "arm64_write_amair_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteAmairEl1(ulong value);

    [RuntimeImport("*", "arm64_read_vbar_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadVbarEl1();

    [RuntimeImport("*", "arm64_write_vbar_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteVbarEl1(ulong value);

    [RuntimeImport("*", "arm64_read_cpacr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCpacrEl1();

    [RuntimeImport("*", "arm64_write_cpacr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCpacrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_contextidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadContextidrEl1();

    [RuntimeImport("*", "arm64_write_contextidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteContextidrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_par_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadParEl1();

    [RuntimeImport("*", "arm64_write_par_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteParEl1(ulong value);

    [RuntimeImport("*", "arm64_read_afsr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadAfsr0El1();

    [RuntimeImport("*", "arm64_write_afsr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteAfsr0El1(ulong value);

    [RuntimeImport("*", "arm64_read_afsr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadAfsr1El1();

    [RuntimeImport("*", "arm64_write_afsr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteAfsr1El1(ulong value);

    [RuntimeImport("*", "arm64_read_cntkctl_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntkctlEl1();

    [RuntimeImport("*", "arm64_write_cntkctl_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCntkctlEl1(ulong value);

    [RuntimeImport("*", "arm64_read_csselr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCsselrEl1();

    [RuntimeImport("*", "arm64_write_csselr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCsselrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_mdscr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadMdscrEl1();

    [RuntimeImport("*", "arm64_write_mdscr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteMdscrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_tpidr_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTpidrEl0();

    [RuntimeImport("*", "arm64_write_tpidr_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTpidrEl0(ulong value);

    [RuntimeImport("*", "arm64_read_tpidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTpidrEl1();

    [RuntimeImport("*", "arm64_write_tpidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTpidrEl1(ulong value);

    [RuntimeImport("*", "arm64_read_tpidrro_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadTpidrroEl0();

    [RuntimeImport("*", "arm64_write_tpidrro_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteTpidrroEl0(ulong value);

    [RuntimeImport("*", "arm64_read_sp_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadSpEl0();

    [RuntimeImport("*", "arm64_write_sp_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteSpEl0(ulong value);

    [RuntimeImport("*", "arm64_read_cntv_ctl_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntvCtlEl0();

    [RuntimeImport("*", "arm64_write_cntv_ctl_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCntvCtlEl0(ulong value);

    [RuntimeImport("*", "arm64_read_cntv_cval_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntvCvalEl0();

    [RuntimeImport("*", "arm64_write_cntv_cval_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCntvCvalEl0(ulong value);

    [RuntimeImport("*", "arm64_read_cntp_ctl_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntpCtlEl0();

    [RuntimeImport("*", "arm64_write_cntp_ctl_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCntpCtlEl0(ulong value);

    [RuntimeImport("*", "arm64_read_cntp_cval_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntpCvalEl0();

    [RuntimeImport("*", "arm64_write_cntp_cval_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteCntpCvalEl0(ulong value);

    [RuntimeImport("*", "arm64_read_fpcr")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadFpcr();

    [RuntimeImport("*", "arm64_write_fpcr")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteFpcr(ulong value);

    [RuntimeImport("*", "arm64_read_fpsr")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadFpsr();

    [RuntimeImport("*", "arm64_write_fpsr")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteFpsr(ulong value);

    /// <summary>Interrupt masks: D 9, A 8, I 7, F 6.</summary>
    [RuntimeImport("*", "arm64_read_daif")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadDaif();

    [RuntimeImport("*", "arm64_write_daif")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void WriteDaif(ulong value);

    /// <summary>What is pending: the bounded look at interrupts that long operations take.</summary>
    [RuntimeImport("*", "arm64_read_isr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIsrEl1();

    /// <summary>Which CPU this is.</summary>
    [RuntimeImport("*", "arm64_read_mpidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadMpidrEl1();

    [RuntimeImport("*", "arm64_read_midr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadMidrEl1();

    [RuntimeImport("*", "arm64_read_revidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadRevidrEl1();

    /// <summary>Exception level in bits 3:2.</summary>
    [RuntimeImport("*", "arm64_read_currentel")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCurrentEl();

    /// <summary>Cache line sizes.</summary>
    [RuntimeImport("*", "arm64_read_ctr_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCtrEl0();

    [RuntimeImport("*", "arm64_read_dczid_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadDczidEl0();

    [RuntimeImport("*", "arm64_read_clidr_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadClidrEl1();

    [RuntimeImport("*", "arm64_read_cntfrq_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntfrqEl0();

    [RuntimeImport("*", "arm64_read_id_aa64pfr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64pfr0El1();

    [RuntimeImport("*", "arm64_read_id_aa64pfr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64pfr1El1();

    [RuntimeImport("*", "arm64_read_id_aa64dfr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64dfr0El1();

    [RuntimeImport("*", "arm64_read_id_aa64isar0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64isar0El1();

    [RuntimeImport("*", "arm64_read_id_aa64isar1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64isar1El1();

    [RuntimeImport("*", "arm64_read_id_aa64mmfr0_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64mmfr0El1();

    [RuntimeImport("*", "arm64_read_id_aa64mmfr1_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64mmfr1El1();

    [RuntimeImport("*", "arm64_read_id_aa64mmfr2_el1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadIdAa64mmfr2El1();

    /// <summary>The virtual counter, read in program order.</summary>
    [RuntimeImport("*", "arm64_read_cntvct_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntvctEl0();

    /// <summary>The physical counter, read in program order.</summary>
    [RuntimeImport("*", "arm64_read_cntpct_el0")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong ReadCntpctEl0();

    /// <summary>Masks every interrupt and tells what was masked before, for <see cref="WriteDaif"/>.</summary>
    [RuntimeImport("*", "arm64_mask_interrupts")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern ulong MaskInterrupts();
}
