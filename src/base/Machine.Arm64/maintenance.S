/* Barriers, hints, translation and cache maintenance: one instruction each, so that order is exactly what C# wrote. */
#include "asm.h"

LEAF(dsb_ish, dsb ish)
LEAF(dsb_ishst, dsb ishst)
LEAF(dsb_ishld, dsb ishld)
LEAF(dsb_nsh, dsb nsh)
LEAF(dsb_sy, dsb sy)
LEAF(dmb_ish, dmb ish)
LEAF(dmb_ishst, dmb ishst)
LEAF(dmb_ishld, dmb ishld)
LEAF(dmb_osh, dmb osh)
LEAF(dmb_oshst, dmb oshst)
LEAF(dmb_oshld, dmb oshld)
LEAF(dmb_sy, dmb sy)
LEAF(isb, isb)
LEAF(wfe, wfe)
LEAF(wfi, wfi)
LEAF(sev, sev)
LEAF(sevl, sevl)
FUNC(arm64_sb_fallback)
    dsb nsh
    isb
    ret
ENDFUNC(arm64_sb_fallback)

LEAF(tlbi_vmalle1, tlbi vmalle1)
LEAF(tlbi_vmalle1is, tlbi vmalle1is)
FUNC(arm64_tlbi_vae1is)
    tlbi vae1is, x0
    ret
ENDFUNC(arm64_tlbi_vae1is)

FUNC(arm64_tlbi_vale1is)
    tlbi vale1is, x0
    ret
ENDFUNC(arm64_tlbi_vale1is)

FUNC(arm64_tlbi_vaae1is)
    tlbi vaae1is, x0
    ret
ENDFUNC(arm64_tlbi_vaae1is)

FUNC(arm64_tlbi_vaale1is)
    tlbi vaale1is, x0
    ret
ENDFUNC(arm64_tlbi_vaale1is)

FUNC(arm64_tlbi_aside1is)
    tlbi aside1is, x0
    ret
ENDFUNC(arm64_tlbi_aside1is)

LEAF(tlbi_vmalls12e1, tlbi vmalls12e1)
LEAF(tlbi_vmalls12e1is, tlbi vmalls12e1is)
FUNC(arm64_tlbi_ipas2e1is)
    tlbi ipas2e1is, x0
    ret
ENDFUNC(arm64_tlbi_ipas2e1is)

FUNC(arm64_tlbi_ipas2le1is)
    tlbi ipas2le1is, x0
    ret
ENDFUNC(arm64_tlbi_ipas2le1is)

LEAF(tlbi_alle1, tlbi alle1)
LEAF(tlbi_alle1is, tlbi alle1is)
LEAF(tlbi_alle2, tlbi alle2)
LEAF(tlbi_alle2is, tlbi alle2is)
FUNC(arm64_tlbi_vae2is)
    tlbi vae2is, x0
    ret
ENDFUNC(arm64_tlbi_vae2is)

FUNC(arm64_dc_cvac)
    dc cvac, x0
    ret
ENDFUNC(arm64_dc_cvac)

FUNC(arm64_dc_cvau)
    dc cvau, x0
    ret
ENDFUNC(arm64_dc_cvau)

FUNC(arm64_dc_civac)
    dc civac, x0
    ret
ENDFUNC(arm64_dc_civac)

FUNC(arm64_dc_ivac)
    dc ivac, x0
    ret
ENDFUNC(arm64_dc_ivac)

FUNC(arm64_dc_zva)
    dc zva, x0
    ret
ENDFUNC(arm64_dc_zva)

FUNC(arm64_ic_ivau)
    ic ivau, x0
    ret
ENDFUNC(arm64_ic_ivau)

LEAF(ic_iallu, ic iallu)
LEAF(ic_ialluis, ic ialluis)
FUNC(arm64_at_s1e1r)
    at s1e1r, x0
    ret
ENDFUNC(arm64_at_s1e1r)

FUNC(arm64_at_s1e1w)
    at s1e1w, x0
    ret
ENDFUNC(arm64_at_s1e1w)

FUNC(arm64_at_s1e0r)
    at s1e0r, x0
    ret
ENDFUNC(arm64_at_s1e0r)

FUNC(arm64_at_s1e0w)
    at s1e0w, x0
    ret
ENDFUNC(arm64_at_s1e0w)

FUNC(arm64_at_s12e1r)
    at s12e1r, x0
    ret
ENDFUNC(arm64_at_s12e1r)

FUNC(arm64_at_s12e1w)
    at s12e1w, x0
    ret
ENDFUNC(arm64_at_s12e1w)

FUNC(arm64_at_s12e0r)
    at s12e0r, x0
    ret
ENDFUNC(arm64_at_s12e0r)

FUNC(arm64_at_s12e0w)
    at s12e0w, x0
    ret
ENDFUNC(arm64_at_s12e0w)
