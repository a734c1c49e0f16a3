using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Machine;

/// <summary>Barriers, hints, translation and cache maintenance by the manual's names.</summary>
/// <remarks>Each member is one instruction in maintenance.S; being a call, the compiler moves no memory access across it.</remarks>
public static partial class Arm64
{
    [RuntimeImport("*", "arm64_dsb_ish")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DsbIsh();

    [RuntimeImport("*", "arm64_dsb_ishst")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DsbIshst();

    [RuntimeImport("*", "arm64_dsb_ishld")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DsbIshld();

    [RuntimeImport("*", "arm64_dsb_nsh")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DsbNsh();

    [RuntimeImport("*", "arm64_dsb_sy")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DsbSy();

    [RuntimeImport("*", "arm64_dmb_ish")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbIsh();

    [RuntimeImport("*", "arm64_dmb_ishst")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbIshst();

    [RuntimeImport("*", "arm64_dmb_ishld")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbIshld();

    [RuntimeImport("*", "arm64_dmb_osh")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbOsh();

    [RuntimeImport("*", "arm64_dmb_oshst")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbOshst();

    [RuntimeImport("*", "arm64_dmb_oshld")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbOshld();

    [RuntimeImport("*", "arm64_dmb_sy")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DmbSy();

    [RuntimeImport("*", "arm64_isb")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Isb();

    [RuntimeImport("*", "arm64_wfe")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Wfe();

    [RuntimeImport("*", "arm64_wfi")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Wfi();

    [RuntimeImport("*", "arm64_sev")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Sev();

    [RuntimeImport("*", "arm64_sevl")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Sevl();

    /// <summary>Ends speculation: DSB and ISB, since SB is optional before Armv8.5.</summary>
    [RuntimeImport("*", "arm64_sb_fallback")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Sb();

    /// <summary>Stage 1 of the current VMID, this CPU.</summary>
    [RuntimeImport("*", "arm64_tlbi_vmalle1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVmalle1();

    /// <summary>Stage 1 of the current VMID.</summary>
    [RuntimeImport("*", "arm64_tlbi_vmalle1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVmalle1is();

    /// <summary>One address of one ASID: VA[55:12], ASID in 63:48.</summary>
    [RuntimeImport("*", "arm64_tlbi_vae1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVae1is(ulong operand);

    /// <summary>As <see cref="TlbiVae1is"/>, last level only.</summary>
    [RuntimeImport("*", "arm64_tlbi_vale1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVale1is(ulong operand);

    /// <summary>One address of every ASID: VA[55:12].</summary>
    [RuntimeImport("*", "arm64_tlbi_vaae1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVaae1is(ulong operand);

    /// <summary>As <see cref="TlbiVaae1is"/>, last level only.</summary>
    [RuntimeImport("*", "arm64_tlbi_vaale1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVaale1is(ulong operand);

    /// <summary>Everything of one ASID, in 63:48.</summary>
    [RuntimeImport("*", "arm64_tlbi_aside1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiAside1is(ulong operand);

    /// <summary>Both stages of the current VMID, this CPU. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_vmalls12e1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVmalls12e1();

    /// <summary>Both stages of the current VMID. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_vmalls12e1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVmalls12e1is();

    /// <summary>Stage 2 of one address: IPA[47:12]. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_ipas2e1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiIpas2e1is(ulong operand);

    /// <summary>As <see cref="TlbiIpas2e1is"/>, last level only. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_ipas2le1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiIpas2le1is(ulong operand);

    /// <summary>Both stages of every VMID, this CPU. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_alle1")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiAlle1();

    /// <summary>Both stages of every VMID. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_alle1is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiAlle1is();

    /// <summary>All of EL2, this CPU. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_alle2")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiAlle2();

    /// <summary>All of EL2. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_alle2is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiAlle2is();

    /// <summary>One address of EL2: VA[55:12]. EL2.</summary>
    [RuntimeImport("*", "arm64_tlbi_vae2is")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void TlbiVae2is(ulong operand);

    /// <summary>Cleans one line to coherency.</summary>
    [RuntimeImport("*", "arm64_dc_cvac")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DcCvac(ulong address);

    /// <summary>Cleans one line to unification, before <see cref="IcIvau"/>.</summary>
    [RuntimeImport("*", "arm64_dc_cvau")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DcCvau(ulong address);

    /// <summary>Cleans and invalidates one line.</summary>
    [RuntimeImport("*", "arm64_dc_civac")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DcCivac(ulong address);

    /// <summary>Invalidates one line: its dirty bytes are lost.</summary>
    [RuntimeImport("*", "arm64_dc_ivac")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DcIvac(ulong address);

    /// <summary>Zeroes one block (DCZID_EL0).</summary>
    [RuntimeImport("*", "arm64_dc_zva")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void DcZva(ulong address);

    /// <summary>Invalidates one line of instructions.</summary>
    [RuntimeImport("*", "arm64_ic_ivau")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void IcIvau(ulong address);

    /// <summary>All instructions, this CPU.</summary>
    [RuntimeImport("*", "arm64_ic_iallu")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void IcIallu();

    /// <summary>All instructions.</summary>
    [RuntimeImport("*", "arm64_ic_ialluis")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void IcIalluis();

    /// <summary>Translates as EL1 would read; the answer is in PAR_EL1 after an ISB.</summary>
    [RuntimeImport("*", "arm64_at_s1e1r")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS1e1r(ulong address);

    /// <summary>Translates as EL1 would write.</summary>
    [RuntimeImport("*", "arm64_at_s1e1w")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS1e1w(ulong address);

    /// <summary>Translates as EL0 would read.</summary>
    [RuntimeImport("*", "arm64_at_s1e0r")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS1e0r(ulong address);

    /// <summary>Translates as EL0 would write.</summary>
    [RuntimeImport("*", "arm64_at_s1e0w")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS1e0w(ulong address);

    /// <summary>Both stages, EL1 read. EL2.</summary>
    [RuntimeImport("*", "arm64_at_s12e1r")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS12e1r(ulong address);

    /// <summary>Both stages, EL1 write. EL2.</summary>
    [RuntimeImport("*", "arm64_at_s12e1w")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS12e1w(ulong address);

    /// <summary>Both stages, EL0 read. EL2.</summary>
    [RuntimeImport("*", "arm64_at_s12e0r")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS12e0r(ulong address);

    /// <summary>Both stages, EL0 write. EL2.</summary>
    [RuntimeImport("*", "arm64_at_s12e0w")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void AtS12e0w(ulong address);
}
