using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Sptm.Image;

/// <summary>Assembly of this image by name (leaves.S, switch.S).</summary>
public static unsafe class El2
{
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_smc")]
    public static extern ulong Smc(ulong function, ulong x1, ulong x2, ulong x3);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_switch_world")]
    public static extern void SwitchWorld(ref WorldState leaving, ref WorldState coming);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_load_world")]
    public static extern void LoadWorld(ulong unused, ref WorldState coming);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_vbar_el1")]
    public static extern ulong ReadVbarEl1();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_sctlr_el1")]
    public static extern ulong ReadSctlrEl1();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_sp_el1")]
    public static extern ulong ReadSpEl1();

    /// <summary>Of the trap that is being served, as <see cref="ReadHpfarEl2"/>: nothing at EL2 writes it.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_far_el2")]
    public static extern ulong ReadFarEl2();

    /// <summary>HPFAR_EL2: the faulting IPA, shifted right by 8.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_hpfar_el2")]
    public static extern ulong ReadHpfarEl2();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_write_el1_exception")]
    public static extern void WriteEl1Exception(ulong elr, ulong spsr, ulong esr, ulong far);

    /// <summary>Identification register op0 3, CRn 0: index (CRm - 1) * 8 + op2, at most 55.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_id")]
    public static extern ulong ReadId(uint index);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_read_pmcr")]
    public static extern ulong ReadPmcr();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_close_features")]
    public static extern void CloseFeatures(CpuFeature features);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_start_timer")]
    public static extern void StartTimer(ulong ticks);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_stop_timer")]
    public static extern void StopTimer();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_send_sgi")]
    public static extern void SendSgi(ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_invalidate_ipa")]
    public static extern void InvalidateIpa(ulong vttbr, ulong page);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_invalidate_vmid")]
    public static extern void InvalidateVmid(ulong vttbr);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_panic")]
    public static extern void Panic(byte* text, int bytes);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_clean_range")]
    public static extern void CleanRange(ulong start, ulong end);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_image_end")]
    public static extern ulong ImageEnd();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_data_end")]
    public static extern ulong DataEnd();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_rodata_end")]
    public static extern ulong RodataEnd();

    /// <summary>Memory of <see cref="FirmwareLog"/>: whole pages of its own.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_log_base")]
    public static extern byte* LogBase();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_percpu_base")]
    public static extern byte* PerCpuBase();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_secondary_address")]
    public static extern ulong SecondaryAddress();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "sptm_register_count")]
    public static extern ulong RegisterCount();
}
